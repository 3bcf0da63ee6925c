#include <herald/trace.hpp>

#include <herald/context.hpp>
#include <herald/engine/fan_out.hpp>
#include <herald/engine/published_extra.hpp>

namespace herald {

namespace {

constexpr char digits[] = "0123456789abcdef";

template <class Bytes>
void append(std::string& out, const Bytes& bytes) {
  for (const std::uint8_t b : bytes) {
    out.push_back(digits[b >> 4]);
    out.push_back(digits[b & 15]);
  }
}

int value_of(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;  // the form allows small letters only
}

template <class Bytes>
bool read(std::string_view text, Bytes& into) {
  for (std::size_t i = 0; i < into.size(); ++i) {
    const int high = value_of(text[2 * i]);
    const int low = value_of(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    into[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return true;
}

template <class Bytes>
void put(Bytes& into, std::size_t at, std::uint64_t value) noexcept {
  for (std::size_t i = 0; i < 8; ++i) into[at + i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
}

error refuse(std::string_view text, const std::string& what) {
  return {pubsub_errc::bad_trace, "the traceparent \"" + std::string{text.substr(0, 64)} + "\" " + what};
}

}  // namespace

std::string trace_context::traceparent() const {
  if (!*this) return {};
  std::string out{"00-"};
  append(out, trace_id);
  out.push_back('-');
  append(out, span_id);
  out.push_back('-');
  append(out, std::array{flags});
  return out;
}

result<trace_context> trace_context::parse(std::string_view text) {
  constexpr std::size_t length = 55;
  std::array<std::uint8_t, 1> version{};
  if (text.size() < length || text[2] != '-' || text[35] != '-' || text[52] != '-')
    return refuse(text, "is not of the form 00-<32 hex digits>-<16>-<2>");
  if (!read(text, version) || version[0] == 0xff) return refuse(text, "has a version that cannot be; wanted: 00 to fe");
  if (version[0] == 0 ? text.size() != length : text.size() > length && text[length] != '-')
    return refuse(text, "goes on after its flags");
  trace_context made;
  std::array<std::uint8_t, 1> flags{};
  if (!read(text.substr(3), made.trace_id) || !read(text.substr(36), made.span_id) || !read(text.substr(53), flags))
    return refuse(text, "has something else than small hex digits in an id");
  if (!made) return refuse(text, "has a trace id of zeros");
  if (made.span_id == std::array<std::uint8_t, 8>{}) return refuse(text, "has a span id of zeros");
  made.flags = flags[0];
  return made;
}

trace_context trace_context::begin(std::uint64_t high, std::uint64_t low, std::uint64_t span, std::uint8_t flags) noexcept {
  trace_context made;
  put(made.trace_id, 0, high);
  put(made.trace_id, 8, low);
  put(made.span_id, 0, span);
  made.flags = flags;
  return made;
}

trace_context trace_context::child(std::uint64_t span) const noexcept {
  auto next = *this;
  put(next.span_id, 0, span == 0 ? 1 : span);
  return next;
}

namespace engine {

thread_local const trace_scope* current_trace = nullptr;

const trace_context* trace_now(const frame* f) noexcept {
  if (const auto* scope = current_trace; scope != nullptr && scope->holds(f)) return &scope->trace();
  if (f == nullptr || f->delivery == nullptr) return nullptr;
  const auto* event = static_cast<const delivery*>(f->delivery)->event;
  const auto* more = event != nullptr ? event->more.load(std::memory_order_acquire) : nullptr;
  return more != nullptr && more->trace ? &more->trace : nullptr;
}

}  // namespace engine

trace_scope::trace_scope(trace_context trace) noexcept
    : trace_{trace},
      outer_{std::exchange(engine::current_trace, this)},
      frame_{engine::current_frame},
      process_{frame_ != nullptr ? frame_->current : nullptr} {}
trace_scope::~trace_scope() { engine::current_trace = outer_; }
bool trace_scope::holds(const engine::frame* f) const noexcept {
  return f == frame_ && (f == nullptr || f->current == process_);
}

trace_context trace_of(const context& self) noexcept {
  const auto* f = engine::current_frame;
  if (f == nullptr || f->current != &self.cell()) return {};
  const auto* found = engine::trace_now(f);
  return found != nullptr ? *found : trace_context{};
}

}  // namespace herald
