#include <herald/report.hpp>

#include <algorithm>
#include <array>

#include <herald/describe.hpp>

namespace herald {

std::string_view name_of(report::kind_t kind) noexcept {
  static constexpr std::array<std::string_view, 17> names{
      "started",        "start_failed", "crashed", "ended",     "restarted", "gave_up",     "killed",
      "shutdown_error", "overran",      "came_back", "zombie",  "dead_letter", "sink_lost", "runner_lost",
      "starved",        "shutdown_failed", "note"};
  return names[static_cast<std::size_t>(kind)];
}

namespace {

/// "a: b" pieces of a line, with the separator only between them.
void piece(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out.append(out.ends_with('{') ? "" : ", ").append(name).append(": ").append(value);
}

void append_offender(std::string& out, const offender_t& o) {
  out.append("; offender {");
  piece(out, "id", o.id);
  if (o.children > 0) {
    piece(out, "children", std::to_string(o.children));
  } else {
    piece(out, "path", o.path);
  }
  piece(out, "restart", o.restart);
  piece(out, "shutdown", o.shutdown);
  piece(out, "type", o.type);
  out.push_back('}');
}

void append_state(std::string& out, const description& state) {
  out.append("; state {");
  for (const auto& i : state.items()) piece(out, i.key, i.value);
  out.push_back('}');
}

/// What users wrote may hold anything; a log wants one line, and characters whole.
void to_one_line(std::string& out, std::size_t max_length) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  std::replace_if(out.begin(), out.end(), control, ' ');
  max_length = std::max<std::size_t>(max_length, 16);
  if (out.size() <= max_length) return;
  auto end = max_length - 3;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0) == 0x80) --end;  // not within a character
  out.resize(end);
  out.append("...");
}

}  // namespace

std::string report::to_string(std::size_t max_length) const {
  std::string out{name_of(kind)};
  if (!path.empty()) out.append(" ").append(path);
  if (incarnation != 0) out.append("#").append(std::to_string(incarnation));
  if (!process_type.empty()) out.append(" (").append(process_type).append(")");
  if (!label.empty()) out.append(" [").append(label).append("]");
  if (kind == crashed || kind == ended || kind == start_failed || kind == gave_up || kind == killed || kind == shutdown_error)
    out.append(": ").append(reason.to_string());
  if (!message_type.empty()) out.append("; last message ").append(message_type);
  if (state) append_state(out, *state);
  if (!supervisor.empty()) out.append("; supervisor ").append(supervisor);
  if (!context.empty()) out.append("; context ").append(context);
  if (offender) append_offender(out, *offender);
  if (!text.empty()) out.append(": ").append(text);
  if (overrun) {
    if (!overrun->message_type.empty()) out.append("; message ").append(overrun->message_type);
    if (overrun->thread != 0) out.append("; thread ").append(std::to_string(overrun->thread));
    if (!overrun->doing.empty()) out.append(", ").append(overrun->doing);
    for (std::size_t i = 0; i < overrun->stack.size(); ++i) out.append(i == 0 ? "; in " : " < ").append(overrun->stack[i]);
  }
  to_one_line(out, max_length);
  return out;
}

}  // namespace herald
