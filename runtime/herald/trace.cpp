#include <herald/trace.hpp>

#include <cstring>
#include <new>

#include <herald/context.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/frame.hpp>
#include <herald/engine/host.hpp>

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
  return {errc::bad_trace, "the traceparent \"" + std::string{text.substr(0, 64)} + "\" " + what};
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

thread_local const trace_mark* current_trace = nullptr;

const trace_context* trace_now(const frame* f) noexcept {
  const auto* mark = current_trace;
  if (mark == nullptr || mark->of != f) return nullptr;
  const bool meant = mark->process == nullptr || f == nullptr || f->current == mark->process;
  return meant && *mark->trace ? mark->trace : nullptr;
}

namespace {

std::byte* room_of(const envelope& e) noexcept {
  const auto* begin = reinterpret_cast<const std::byte*>(&e);
  return const_cast<std::byte*>(begin) + ((e.size & ~traced_bit) - trace_room);
}
static_assert(sizeof(trace_context) <= trace_room && alignof(trace_context) <= 16);

std::uint64_t next_span(const frame* f, const trace_context& trace) noexcept {
  if (f != nullptr) return f->home->system().dice().next();
  // A plain thread knows no application: from the span before and how many there were (splitmix64).
  thread_local std::uint64_t count = 0;
  std::uint64_t mixed = 0;
  std::memcpy(&mixed, trace.span_id.data(), sizeof mixed);
  mixed += 0x9e3779b97f4a7c15u * (++count);
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  return mixed ^ (mixed >> 31);
}

}  // namespace

void stamp(envelope& e, const trace_context& trace) noexcept { ::new (room_of(e)) trace_context{trace}; }
void stamp(envelope& e, const frame* f) noexcept {
  if (const auto* trace = trace_now(f)) stamp(e, trace->child(next_span(f, *trace)));
}
const trace_context& trace_in(const envelope& e) noexcept {
  return *std::launder(reinterpret_cast<const trace_context*>(room_of(e)));
}

void run_traced(envelope& e, cell& c, frame& f) {
  // The message the handler is about: that of a handler that waited inside, and not the answer it waited for.
  const auto* about = f.in_hand != nullptr && (f.in_hand->size & traced_bit) != 0 ? f.in_hand : &e;
  const auto trace = trace_in(*about);  // the node may end before the handler does
  const message_trace in_force{&trace, &f, &c};
  e.ops->run(&e, &c, f);
}

}  // namespace engine

namespace {

const engine::cell* running(const engine::frame* f) noexcept { return f != nullptr ? f->current : nullptr; }

}  // namespace

trace_scope::trace_scope(trace_context trace) noexcept
    : trace_{trace}, in_force_{&trace_, engine::current_frame, running(engine::current_frame)} {}
trace_scope::~trace_scope() = default;

trace_context trace_of(const context& self) noexcept {
  const auto* f = engine::current_frame;
  return f != nullptr && f->current == &self.cell() ? trace_here() : trace_context{};
}

trace_context trace_here() noexcept {
  const auto* found = engine::trace_now(engine::current_frame);
  return found != nullptr ? *found : trace_context{};
}

}  // namespace herald
