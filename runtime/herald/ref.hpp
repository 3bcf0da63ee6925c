#pragma once
// The problem: a pointer to a process that may crash and come back is a bug waiting. A ref is an address: it stays valid
// over restarts, may be copied and compared and sent anywhere, and never dangles while its application exists.
//
// Thread safety: values; every member may be called from any thread, from inside a handler too. Lifetime: usable until
// the application object is destroyed; after its stop, casts vanish and calls answer noproc. Errors: as said at each.
// The idea: Erlang's pids, and Akka's ActorRef for the life over restarts.

#include <chrono>
#include <functional>
#include <utility>

#include <herald/engine/nodes.hpp>
#include <herald/error.hpp>
#include <herald/time_limit.hpp>

namespace herald {

inline constexpr std::chrono::milliseconds default_call_limit{5000};

/// The address of a process whose type is not known here.
class any_ref {
 public:
  any_ref() = default;
  explicit any_ref(engine::address where) noexcept : where_{where} {}

  /// False for an empty ref. True does not say that the process lives.
  explicit operator bool() const noexcept { return where_.cell != nullptr; }
  /// Sends a message; one the process does not accept becomes a dead letter.
  template <class M>
  void cast(M message) const {
    if (where_.cell == nullptr) return;
    engine::send(engine::make_node<engine::any_node<M>>(where_, std::move(message)));
  }
  [[nodiscard]] engine::address where() const noexcept { return where_; }
  friend bool operator==(const any_ref&, const any_ref&) = default;

 private:
  engine::address where_;
};

/// One life of a process and no other.
class incarnation_ref {
 public:
  incarnation_ref() = default;
  incarnation_ref(any_ref who, std::uint32_t incarnation) noexcept : who_{who}, incarnation_{incarnation} {}
  explicit operator bool() const noexcept { return static_cast<bool>(who_); }
  [[nodiscard]] any_ref who() const noexcept { return who_; }
  [[nodiscard]] std::uint32_t incarnation() const noexcept { return incarnation_; }
  /// Sends a message to that life; after its end it vanishes.
  template <class M>
  void cast(M message) const {
    if (!who_) return;
    auto* e = engine::make_node<engine::any_node<M>>(who_.where(), std::move(message));
    e->incarnation = incarnation_;
    engine::send(e);
  }
  friend bool operator==(const incarnation_ref&, const incarnation_ref&) = default;

 private:
  any_ref who_;
  std::uint32_t incarnation_ = 0;
};

/// The address of a process of type P.
template <class P>
class ref {
 public:
  ref() = default;
  explicit ref(engine::address where) noexcept : where_{where} {}
  operator any_ref() const noexcept { return any_ref{where_}; }  // NOLINT: knowing less is always possible

  explicit operator bool() const noexcept { return where_.cell != nullptr; }
  [[nodiscard]] engine::address where() const noexcept { return where_; }

  /// Sends a message and returns at once. What cannot be delivered becomes a dead letter.
  template <class M>
    requires engine::accepts<P, M>
  void cast(M message) const {
    if (where_.cell == nullptr) return;
    engine::send(engine::make_node<engine::cast_node<P, M>>(where_, std::move(message)));
  }

  /// As cast, but says overload when the receiver's mailbox or its host's inbox is full, and noproc when it is gone.
  template <class M>
    requires engine::accepts<P, M>
  [[nodiscard]] result<void> try_cast(M message) const {
    if (where_.cell == nullptr) return engine::noproc_error();
    return engine::try_send(engine::make_node<engine::cast_node<P, M>>(where_, std::move(message)));
  }

  /// Asks and waits for the answer, on a plain thread; inside a handler it answers would_block (use self.call).
  /// Ends with the value, or exactly one of timeout, noproc, down, restarting, overload, would_block.
  template <class M>
    requires(engine::accepts<P, M> && engine::is_call<M>)
  [[nodiscard]] result<typename M::reply> call(M message, time_limit limit = default_call_limit) const {
    using answer = result<typename M::reply>;
    if (where_.cell == nullptr) return engine::noproc_error();
    if (engine::on_runner()) return engine::would_block_error();
    const auto left = engine::time_left(engine::system_of(*where_.cell), limit);
    if (!left) return engine::passed_error();
    auto* w = new engine::waiter_for<answer>;
    const engine::waiter_guard guard{*w};
    w->retain();
    engine::send(engine::make_node<engine::call_node<P, M>>(where_, std::move(message),
                                                            engine::reply_to{{}, 0, 0, w}));
    if (!engine::wait(engine::system_of(*where_.cell), *w, *left)) return engine::timeout_error(*left);
    return w->take();
  }

  friend bool operator==(const ref&, const ref&) = default;

 private:
  engine::address where_;
};

/// A process of type P as the receiver of a message it must accept, checked here.
template <class P, class M>
concept receives = engine::accepts<P, M>;

}  // namespace herald

template <>
struct std::hash<herald::any_ref> {
  std::size_t operator()(const herald::any_ref& r) const noexcept {
    return std::hash<const void*>{}(r.where().cell) ^ r.where().generation;
  }
};
template <class P>
struct std::hash<herald::ref<P>> {
  std::size_t operator()(const herald::ref<P>& r) const noexcept { return std::hash<herald::any_ref>{}(r); }
};
