#include <herald/engine/api.hpp>

#include <herald/child_spec.hpp>
#include <herald/context.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/at_home.hpp>
#include <herald/engine/operation.hpp>
#include <herald/engine/pending.hpp>

namespace herald::engine {

void send(envelope* e) {
  const runtime_entry entry;
  if (auto* f = entry.any(); f != nullptr && e->from == nullptr && f->current != nullptr && e->ops->kind <= envelope_kind::call)
    [[likely]] {
    if (entry.fenced()) return e->ops->discard(e, discard_reason::stale, nullptr);
    e->from = f->current;
    e->from_generation = f->current->generation.load(std::memory_order_relaxed);
    if (f->traced != nullptr && entry.owned() != nullptr) [[unlikely]]
      trace_sent(*f, *e);
  }
  host::post(e, entry.owned());
}

result<void> try_send(envelope* e) {
  auto& c = *e->to;
  // A hint, read without the owner: it may be a few messages old. What is accepted here and finds no room after all
  // becomes a dead letter like any other.
  if (!c.alive({&c, e->generation})) {
    e->ops->discard(e, discard_reason::stale, nullptr);
    return noproc_error();
  }
  if (c.depth.load(std::memory_order_relaxed) >= c.limit.load(std::memory_order_relaxed) ||
      c.home->inbox_depth() >= c.home->system().options().inbox_limit) {
    e->ops->discard(e, discard_reason::stale, nullptr);
    return error{errc::overload, "the message was not sent: the receiver's mailbox or its host's inbox is full"};
  }
  send(e);
  return {};
}

void dead_letter(const envelope& e, discard_reason why) noexcept {
  if (e.to != nullptr) e.to->home->system().count_dead_letter(e, why);
}

error error_of(discard_reason why, const exit_reason* because, const type_tag& message) {
  const std::string what = "the call of type " + std::string{message.name} + " was not answered: ";
  switch (why) {
    case discard_reason::overflow: return {errc::overload, what + "the mailbox or its host's inbox is full"};
    case discard_reason::restarting: return {errc::restarting, what + "the process crashed and is being restarted"};
    case discard_reason::closed: return {errc::closed, what + "the application is stopped"};
    case discard_reason::down:
    case discard_reason::poison:
      return {errc::down, what + "the process ended with " + (because != nullptr ? because->to_string() : "no word")};
    case discard_reason::noproc:
    case discard_reason::unhandled:
    case discard_reason::stale: break;
  }
  return {errc::noproc, what + "the process does not exist"};
}

error noproc_error() { return {errc::noproc, "the ref is empty or names a process that has ended"}; }
error nobody_at(std::string_view path, const process_ops& wanted) {
  return {errc::noproc, "there is no process of type " + std::string{wanted.name} + " at \"" + std::string{path} + "\""};
}
error would_block_error() {
  return {errc::would_block, "a blocking call inside a handler; wanted: self.call(ref, message, limit, continuation)"};
}
error timeout_error(std::chrono::milliseconds limit) {
  return {errc::timeout, "no answer within " + std::to_string(limit.count()) + " ms"};
}

error passed_error() { return {errc::timeout, "nothing was sent: the deadline had passed before"}; }
std::optional<std::chrono::milliseconds> time_left(core& system, const time_limit& limit) {
  const auto now = system.time().now();
  if (limit.passed(now)) return std::nullopt;
  return limit.from(now);
}

bool wait(core& system, waiter& w, std::optional<std::chrono::steady_clock::duration> limit) {
  return system.runs().wait(w, limit);
}

core& system_of(const cell& c) noexcept { return c.home->system(); }
bool on_runner() noexcept { return current_frame != nullptr; }

// --- pending calls ----------------------------------------------------------------------------------------------------

namespace {

/// An answer that the caller's own host makes: the limit has passed, or the call was refused.
struct failure_node final : envelope {
  failure_node(address caller, std::uint32_t life, std::uint64_t call, error e)
      : envelope{(call & awaited_bit) != 0 ? awaited_ops : node_ops, caller, life}, id{call}, why{std::move(e)} {}
  std::uint64_t id;
  error why;
  static expectation* claim(frame& by, std::uint64_t id) {
    const runtime_entry entry;
    if (entry.owned() == nullptr) return nullptr;
    auto* found = static_cast<expectation*>(by.home->expected(id));
    if (found != nullptr) {
      found->forget(*by.home);
      by.home->detach(*found);
    }
    return found;
  }
  static void run(envelope* e, cell*, frame& by) {
    auto* self = static_cast<failure_node*>(e);
    static_cast<void>(end_wait(by, self->id, nullptr, &self->why));
  }
  static bool end_wait(frame& by, std::uint64_t id, void* answer, const error* why) {
    if (comes_again(by)) return false;
    auto* found = claim(by, id);
    if (found == nullptr) return true;
    const owned_expectation<expectation> record{found->in_frame ? nullptr : found};
    const auto trace = std::move(found->trace);
    const message_trace in_force{trace_now(&by) == nullptr ? trace.get() : nullptr, &by, by.current};
    found->resume(context_at(by.state), answer, why);
    return true;
  }
  static void finish(envelope* e, frame&, const exit_reason*) noexcept { free_node(static_cast<failure_node*>(e)); }
  static void discard(envelope* e, discard_reason, const exit_reason*) noexcept {
    free_node(static_cast<failure_node*>(e));
  }
  static constexpr envelope_ops node_ops{run, finish, discard, nullptr, &tag_of<failure_node>, envelope_kind::notice};
  static constexpr envelope_ops awaited_ops{run, finish, discard, nullptr, &tag_of<failure_node>, envelope_kind::awaited};
};

}  // namespace

bool resume_call(std::uint64_t id, void* answer, frame& by) { return failure_node::end_wait(by, id, answer, nullptr); }

bool comes_again(frame& by) noexcept {
  const runtime_entry entry;
  if (entry.owned() != nullptr || entry.fenced()) return false;
  by.keep = keep_t::again;
  return true;
}

void expectation::keep_trace() {
  if (current_trace == nullptr) return;
  if (const auto* here = trace_now(current_frame)) trace = std::make_unique<const trace_context>(*here);
}

void pending_call::fire(host& home) {
  home.deliver(make_node<failure_node>(owner->self(), owner->incarnation, id, timeout_error(limit)));
}

void pending_call::forget(host& home) noexcept {
  home.forget(id);
  home.disarm(*this);
}

bool begin_call(cell& self, std::uint32_t incarnation, pending_call* record, const time_limit& limit) {
  const auto now = self.home->system().time().now();
  record->limit = limit.from(now);
  record->when = limit.end(now);
  return begin_wait(self, incarnation, record);
}

bool begin_wait(cell& self, std::uint32_t incarnation, pending_call* record) {
  record->id = self.home->system().next_number() | (record->awaited ? awaited_bit : 0);
  if (!record->awaited) record->keep_trace();  // a handler that waits inside stays in its message's
  const runtime_entry entry;
  return at_home(entry, self, incarnation, [record = owned_expectation<pending_call>{record}](cell& c) mutable {
    auto& home = *c.home;
    auto& kept = *record.release();
    home.expect(kept.id, kept);
    home.attach(c, kept);
    if (kept.when != time_point::max()) home.arm(kept);
  });
}

void fail_call(cell& self, std::uint32_t incarnation, std::uint64_t id, error why) {
  send(make_node<failure_node>(self.self(), incarnation, id, std::move(why)));
}

}  // namespace herald::engine
