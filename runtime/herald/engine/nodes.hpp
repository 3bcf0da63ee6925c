#pragma once
// The kinds of messages between processes, as envelopes: a cast, a call with its reply, and a message to an address whose
// process type the sender does not know.

#include <memory>
#include <optional>

#include <herald/engine/api.hpp>
#include <herald/engine/cell.hpp>
#include <herald/engine/waiter.hpp>

namespace herald::engine {

/// The context of the incarnation that runs in `c`: it lies just before its state.
[[nodiscard]] inline context& context_at(void* state) noexcept {
  return *reinterpret_cast<context*>(static_cast<std::byte*>(state) - 16);
}
[[nodiscard]] inline context& context_of(cell& c) noexcept {
  return *reinterpret_cast<context*>(static_cast<std::byte*>(c.state) - 16);
}

/// Destroys the message when the handler is through with it, also by exception; not when it is put away. A handler that
/// waits inside still needs it: then `waiting` become the envelope's operations, whose finish destroys it.
template <class M, bool MayWait = true>
struct message_end {
  M& message;
  const frame& by;
  envelope* in;
  const envelope_ops* waiting;
  ~message_end() {
    if (MayWait && by.suspended != nullptr) {
      in->ops = waiting;
    } else if constexpr (!std::is_trivially_destructible_v<M>) {
      if (by.keep == keep_t::no) [[likely]]
        std::destroy_at(&message);
    }
  }
};

template <class M>
struct message_node : envelope {
  message_node(const envelope_ops& operations, address receiver, M&& m) : envelope{operations, receiver} {
    std::construct_at(&message, std::move(m));
  }
  ~message_node() {}  // NOLINT: the message's end is its own affair
  union {
    M message;
  };
  static void discard(envelope* e, discard_reason why, const exit_reason*) noexcept {
    dead_letter(*e, why);
    auto* self = static_cast<message_node*>(e);
    std::destroy_at(&self->message);
    free_node(self);
  }
  /// Of one whose handler waited inside.
  static void finish(envelope* e, frame&, const exit_reason*) noexcept {
    auto* self = static_cast<message_node*>(e);
    std::destroy_at(&self->message);
    free_node(self);
  }
};

template <class P, class M>
struct cast_node final : message_node<M> {
  cast_node(address receiver, M&& m) : message_node<M>{node_ops, receiver, std::move(m)} {}
  static void run(envelope* e, cell*, frame& by) {
    auto& message = static_cast<cast_node*>(e)->message;
    const message_end<M, waits_inside<P, M>> end{message, by, e, &waiting_ops};
    handle<P, M>(by.state, context_at(by.state), &message);
  }
  static constexpr envelope_ops waiting_ops{nullptr, message_node<M>::finish, message_node<M>::discard,
                                            nullptr, &tag_of<M>, envelope_kind::cast};
  static constexpr envelope_ops node_ops{run, nullptr, message_node<M>::discard, nullptr, &tag_of<M>, envelope_kind::cast,
                                         true};
};

/// A message that its receiver does not accept: on_unknown, or a dead letter that is told once for each type.
void unknown(const envelope& e, cell& c, frame& by, const void* message);

/// A message to a process of unknown type: its table decides at the far end.
template <class M, envelope_kind Kind = envelope_kind::cast>
struct any_node final : message_node<M> {
  any_node(address receiver, M&& m) : message_node<M>{node_ops, receiver, std::move(m)} {}
  static void run(envelope* e, cell* c, frame& by) {
    auto& message = static_cast<any_node*>(e)->message;
    const message_end<M> end{message, by, e, &waiting_ops};
    if (const auto* handler = c->ops->find(tag_of<M>)) {
      handler->invoke(by.state, context_at(by.state), &message);
    } else {
      unknown(*e, *c, by, &message);
    }
  }
  static constexpr envelope_ops waiting_ops{nullptr, message_node<M>::finish, message_node<M>::discard,
                                            nullptr, &tag_of<M>, Kind};
  static constexpr envelope_ops node_ops{run, nullptr, message_node<M>::discard, nullptr, &tag_of<M>, Kind, true};
};

/// What a handler goes on with; vanishes with its incarnation.
template <class M>
using continued_node = any_node<M, envelope_kind::continued>;

/// False: the timer was cancelled after it had sent this message.
[[nodiscard]] bool timer_due(cell& c, std::uint64_t id);
/// Its handler has returned.
void timer_done(cell& c, std::uint64_t id, frame& by) noexcept;

/// What a timer sends to its own process.
template <class M>
struct timer_node final : envelope {
  timer_node(address receiver, std::uint64_t timer, std::shared_ptr<const M> m)
      : envelope{node_ops, receiver}, id{timer}, message{std::move(m)} {}
  std::uint64_t id;
  bool due = false;
  std::shared_ptr<const M> message;
  static void run(envelope* e, cell* c, frame& by) {
    auto* self = static_cast<timer_node*>(e);
    if (!self->due && !timer_due(*c, self->id)) return;
    self->due = true;  // put away, it is not the timer's any more
    auto held = std::move(self->message);
    c->ops->find(tag_of<M>)->invoke(by.state, context_at(by.state), held.get());
    // Put away, or still read by a handler that waits inside.
    if (by.keep != keep_t::no || by.suspended != nullptr) self->message = std::move(held);
  }
  static void finish(envelope* e, frame& by, const exit_reason*) noexcept {
    auto* self = static_cast<timer_node*>(e);
    timer_done(*self->to, self->id, by);
    free_node(self);
  }
  static void discard(envelope* e, discard_reason, const exit_reason*) noexcept {
    free_node(static_cast<timer_node*>(e));
  }
  static constexpr envelope_ops node_ops{run, finish, discard, nullptr, &tag_of<M>, envelope_kind::notice, true};
};

/// In the number of a wait: a handler waits inside, so what it waits for comes before other messages.
inline constexpr std::uint64_t awaited_bit = std::uint64_t{1} << 63;

/// Who waits for a call's end: a process (by the number of its pending call) or a plain thread.
struct reply_to {
  address caller;
  std::uint32_t incarnation = 0;
  std::uint64_t id = 0;
  waiter* thread = nullptr;
};
/// Gives a process's pending call its result (a result<R>); a call that is over already takes no notice. False: the host
/// was taken, and the answer comes again.
[[nodiscard]] bool resume_call(std::uint64_t id, void* answer, frame& by);

/// One node for a call's way there and back.
template <class R>
struct call_base : envelope {
  call_base(const envelope_ops& operations, address callee, reply_to back) : envelope{operations, callee}, to_{back} {}

  /// Sends the answer on its way; the node becomes the reply, or ends here when a plain thread waits.
  void answer(result<R> r) noexcept {
    if (to_.thread != nullptr) {
      static_cast<waiter_for<result<R>>*>(to_.thread)->set(std::move(r));
      to_.thread->release();
      to_.thread = nullptr;
      free_node(this);
      return;
    }
    if (to_.caller.cell == nullptr) return free_node(this);
    answer_.emplace(std::move(r));
    ops = (to_.id & awaited_bit) != 0 ? &awaited_ops : &reply_ops;
    to = to_.caller.cell;
    generation = to_.caller.generation;
    incarnation = to_.incarnation;
    send(this);
  }
  /// Answers now, but leaves the node: a handler that was left behind still uses it.
  void abandon_call(const exit_reason& why) noexcept;

  reply_to to_;
  std::optional<result<R>> answer_;

  static void run_reply(envelope* e, cell*, frame& by) {
    auto* self = static_cast<call_base*>(e);
    if (resume_call(self->to_.id, &*self->answer_, by)) self->answer_.reset();
  }
  static void discard_reply(envelope* e, discard_reason, const exit_reason*) noexcept {
    free_node(static_cast<call_base*>(e));  // late replies vanish
  }
  static void finish_reply(envelope* e, frame&, const exit_reason*) noexcept {
    free_node(static_cast<call_base*>(e));
  }
  static constexpr envelope_ops reply_ops{run_reply,   finish_reply, discard_reply,
                                          nullptr,     &tag_of<result<R>>, envelope_kind::notice};
  static constexpr envelope_ops awaited_ops{run_reply, finish_reply,       discard_reply,
                                            nullptr,   &tag_of<result<R>>, envelope_kind::awaited};
};

/// A second, independent answer for the caller of a node that cannot move yet.
template <class R>
struct early_answer final : call_base<R> {
  explicit early_answer(reply_to back) : call_base<R>{call_base<R>::reply_ops, {}, back} {}
};
template <class R>
void call_base<R>::abandon_call(const exit_reason& why) noexcept {
  auto* twin = make_node<early_answer<R>>(to_);
  to_ = {};
  twin->answer(error_of(discard_reason::down, &why, *this));
}

/// What a call's node keeps while its handler's answer is somebody's debt (reply_to.hpp): finish() settles with it.
template <class R>
struct debt_for;
template <class R>
void owe(call_base<R>& call, cell& by, debt_for<R>*& kept);
template <class R>
void settle_debt(debt_for<R>& kept, const exit_reason* crash) noexcept;

template <class P, class M>
struct call_node final : call_base<typename M::reply> {
  using reply_type = typename M::reply;
  call_node(address callee, M&& m, reply_to back) : call_base<reply_type>{node_ops, callee, back}, message{std::move(m)} {}
  M message;
  static constexpr bool machine = is_machine<P>;
  static constexpr bool later = machine ? machine_answers_later<P, M>() : answers_later<P, M>;
  struct nothing {};
  [[no_unique_address]] std::conditional_t<later, debt_for<reply_type>*, nothing> debt{};

  static void run(envelope* e, cell* c, frame& by) {
    auto* self = static_cast<call_node*>(e);
    auto& process = *static_cast<P*>(by.state);
    auto& context = context_at(by.state);
    if constexpr (machine && later) {
      // Only in some of its states, maybe: the machine says when.
      const auto take = [&] {
        owe<reply_type>(*self, *c, self->debt);
        return herald::reply_to<reply_type>{self->debt};
      };
      if (auto reply = process.take_message(context, self->message, take)) self->answer_.emplace(std::move(*reply));
    } else if constexpr (machine) {
      if (auto reply = dispatch<P, M>(process, context, self->message)) self->answer_.emplace(std::move(*reply));
    } else if constexpr (later) {
      owe<reply_type>(*self, *c, self->debt);
      herald::reply_to<reply_type> to{self->debt};
      if constexpr (waits_inside<P, M>) {
        launch(context, dispatch<P, M>(process, context, self->message, std::move(to)), nullptr);
      } else {
        dispatch<P, M>(process, context, self->message, std::move(to));
      }
    } else if constexpr (waits_inside<P, M>) {
      launch(context, dispatch<P, M>(process, context, self->message), &self->answer_);
    } else if constexpr (std::is_void_v<reply_type>) {
      dispatch<P, M>(process, context, self->message);
      self->answer_.emplace();
    } else {
      self->answer_.emplace(dispatch<P, M>(process, context, self->message));
    }
  }
  static void finish(envelope* e, frame&, const exit_reason* crash) noexcept {
    auto* self = static_cast<call_node*>(e);
    if constexpr (later) {
      const bool owed = self->debt != nullptr;
      if (owed) settle_debt(*std::exchange(self->debt, nullptr), crash);
      if (owed || !machine) return free_node(self);
    }
    if (!self->answer_) return finish_with(self, error_of(discard_reason::down, crash, *e));
    auto r = std::move(*self->answer_);
    self->answer_.reset();
    finish_with(self, std::move(r));
  }
  static void discard(envelope* e, discard_reason why, const exit_reason* because) noexcept {
    finish_with(static_cast<call_node*>(e), error_of(why, because, *e));
  }
  static void abandon(envelope* e, const exit_reason& why) noexcept { static_cast<call_node*>(e)->abandon_call(why); }
  static constexpr envelope_ops node_ops{run, finish, discard, abandon, &tag_of<M>, envelope_kind::call, machine || !later};

 private:
  static void finish_with(call_node* self, result<reply_type> r) noexcept {
    // The message ends here, on the callee's side; the memory travels on as a node that carries only the answer.
    const auto back = self->to_;
    const auto size = self->size;
    self->~call_node();
    auto* base = ::new (static_cast<void*>(self)) call_base<reply_type>{call_base<reply_type>::reply_ops, {}, back};
    base->size = size;
    base->answer(std::move(r));
  }
};

}  // namespace herald::engine
