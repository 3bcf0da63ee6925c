#include <herald/report.hpp>

#include <array>

namespace herald {

std::string_view name_of(report::kind_t kind) noexcept {
  static constexpr std::array<std::string_view, 15> names{
      "started",  "start_failed", "crashed", "ended",       "restarted", "gave_up",     "killed",
      "overran",  "came_back",    "zombie",  "dead_letter", "sink_lost", "runner_lost",
      "shutdown_failed", "note"};
  return names[static_cast<std::size_t>(kind)];
}

std::string report::to_string() const {
  std::string out{name_of(kind)};
  if (!path.empty()) out.append(" ").append(path);
  if (incarnation != 0) out.append("#").append(std::to_string(incarnation));
  if (!process_type.empty()) out.append(" (").append(process_type).append(")");
  if (kind == crashed || kind == ended || kind == start_failed || kind == gave_up || kind == killed)
    out.append(": ").append(reason.to_string());
  if (!text.empty()) out.append(": ").append(text);
  return out;
}

}  // namespace herald
