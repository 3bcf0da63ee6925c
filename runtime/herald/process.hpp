#pragma once
// The problem: state that many threads want belongs to one owner, and what goes wrong in it must not take others down. A
// process is a class with an `on` function for each message type it names; one message at a time, nothing shared. When it
// throws, that one process is over, and its supervisor starts a new incarnation from its spec.
//
//   struct counter : herald::process<counter, add, total> {
//     void on(const add& m) { sum_ += m.n; }             // a cast
//     int on(const total&) { return sum_; }              // a call: total names its reply
//    private:
//     int sum_ = 0;
//   };
//
// What a process may have: `struct args` (kept in its spec); a constructor (context&, args): init, throwing is a start
// error; `on(const M&)` or `on(context&, const M&)` for each M it names, matched exactly; `terminate(const exit_reason&)`,
// not run on kill; `on_stop(context&, const exit_reason&)`, for one that has something to finish when it is asked to end:
// it goes on until it calls self.stop(why), or until its shutdown limit. It must be nothrow destructible. A handler may
// return a coroutine and wait inside (coroutine.hpp); a call's handler may take a reply_to and answer later (reply_to.hpp).
//
// Thread safety: all of it runs on one thread at a time, not always the same. Lifetime: an incarnation lives from init to
// terminate; its subscriptions, timers, monitors and pending calls end with it. Errors: what leaves init, a handler or
// terminate by exception is a crash of this process only. Faults like SIGSEGV end the program: C++ cannot contain them.
// The idea: Erlang/OTP's gen_server.

#include <herald/engine/process_ops.hpp>

namespace herald {

template <class Self, class... Messages>
class process {
 public:
  /// What may be sent to it; checked where it is sent.
  using accepts = engine::type_list<Messages...>;

 protected:
  process() {
    static_assert((engine::handles<Self, Messages> && ...),
                  "herald: a process must have on(const M&) or on(context&, const M&) for each message it names; a call "
                  "that is answered later takes a reply_to<M::reply> besides");
    static_assert((reply_matches<Messages>() && ...),
                  "herald: on(const M&) of a call must return exactly M::reply or coroutine<M::reply>; with a "
                  "reply_to<M::reply> it must return void or coroutine<>");
    static_assert((nothing_is_lost<Messages>() && ...),
                  "herald: on(const M&) of a message that is no call must not return a coroutine with a value");
  }
  ~process() = default;
  process(const process&) = default;
  process& operator=(const process&) = default;

 private:
  template <class M>
  static constexpr bool reply_matches() {
    if constexpr (engine::answers_later<Self, M>) {
      return one_of<typename engine::handled<Self, M>::type, void, coroutine<>>;
    } else if constexpr (engine::is_call<M> && engine::handles<Self, M>) {
      return one_of<typename engine::handled<Self, M>::type, typename M::reply, coroutine<typename M::reply>>;
    } else {
      return true;
    }
  }
  template <class M>
  static constexpr bool nothing_is_lost() {
    if constexpr (!engine::is_call<M> && engine::handles<Self, M>) {
      using returned = typename engine::handled<Self, M>::type;
      return !engine::is_coroutine<returned> || std::same_as<returned, coroutine<>>;
    } else {
      return true;
    }
  }
  template <class T, class... Allowed>
  static constexpr bool one_of = (std::same_as<T, Allowed> || ...);
};

}  // namespace herald
