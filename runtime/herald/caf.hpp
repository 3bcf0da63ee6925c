#pragma once
// The door for CAF users: actors that exist already get supervision, and talk to processes and are talked to, without
// being rewritten. The only public header that includes CAF; link CAF to use it (dependency('herald-caf'), or CAF's own).
//
//   herald::application app{{.name = "app", .children = {
//       herald::caf_child("worker", [](caf::actor_system& sys) { return sys.spawn(my_worker); })}}};
//
// - caf_child: a CAF actor as a supervised child. When it ends with an error it is spawned anew, by its supervisor's rules.
//   Its ref stays valid over that: ref<caf_guest> takes caf_mail, and gives the present actor (caf_handle).
// - as_actor: a process as a CAF actor: it takes the process's messages, and requests of its calls are answered.
// - subscribe_actor (caf_subscriber.hpp): a CAF actor gets the events of a topic.
// - caf_request: a process asks a CAF actor; the answer comes as a continuation.
// - An application lives in the system that application_options::actor_system names, or in one of its own (caf_system).
//
// CAF must know the messages that go through here (its type ids or inspect, as for any CAF message); Herald's own it need
// not know. Thread safety: all functions from any thread, caf_request from a handler of `self`. Lifetime: actors made here end with
// the application; what a guest spawns must end with it, as always in CAF, and handles of actors in an application's own
// system must be let go before it is destroyed. Errors: in a simulation there is no CAF: a
// caf_child fails to start there, as_actor and caf_system throw std::logic_error. CAF 0.17 and 1.x.

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/behavior.hpp>
#include <caf/error.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/message.hpp>
#include <caf/message_handler.hpp>
#include <caf/response_promise.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <herald/application.hpp>
#include <herald/engine/caf_words.hpp>
#include <herald/process.hpp>

namespace herald {

/// To a guest: this message goes to its actor, if one runs now; sent anonymously.
struct caf_mail {
  caf::message content;
};
template <class... Ts>
[[nodiscard]] caf_mail to_caf(Ts&&... values) {
  return {caf::make_message(std::forward<Ts>(values)...)};
}

/// Asks a guest for the actor that runs now.
struct caf_handle {
  using reply = caf::actor;
};

namespace detail {
struct caf_ended {
  std::uint64_t guest = 0;
  exit_reason why;
};
}  // namespace detail

/// The process that stands for a CAF actor in the tree. It starts it, watches it, asks it to end (an exit message with
/// user_shutdown), waits for its end within the child's shutdown limit, and kills it (kill) after that.
class caf_guest : public process<caf_guest, caf_mail, caf_handle, detail::caf_ended> {
 public:
  struct args {
    std::function<caf::actor(caf::actor_system&)> spawn;
  };
  caf_guest(context& self, const args& a);
  ~caf_guest();
  void on(const caf_mail& m);
  caf::actor on(const caf_handle&) { return actor_; }
  void on(context& self, const detail::caf_ended& m);
  void on_stop(context& self, const exit_reason& why);

 private:
  caf::actor actor_;
  std::uint64_t number_ = 0;
};

/// A CAF actor as a child. `spawn` is kept in the spec and run for each incarnation.
[[nodiscard]] child_spec caf_child(std::string id, std::function<caf::actor(caf::actor_system&)> spawn,
                                   child_options options = {});

/// The system an application lives in.
[[nodiscard]] caf::actor_system& caf_system(const application& app);

/// Why a CAF actor ended, in Herald's words: normal, shutdown (user_shutdown), killed (kill), else a crash with CAF's text.
[[nodiscard]] exit_reason exit_reason_of(const caf::error& why);
/// A Herald error as a CAF error: sec::runtime_error with its sentence.
[[nodiscard]] caf::error caf_error_of(const error& why);

namespace engine {

/// What other threads want done inside one CAF actor, and the promises it has given. CAF carries a number only, so it
/// need not know the types. Closed before the actor's system may go: what comes later is dropped.
class caf_agenda {
 public:
  using item = std::function<void(caf::event_based_actor*)>;
  using delivery = std::function<void(caf::response_promise&)>;
  caf_agenda();
  ~caf_agenda();
  void open(caf::actor whose);
  void close();
  void post(item what);
  [[nodiscard]] std::uint64_t keep(caf::response_promise promise);
  void deliver(std::uint64_t promise, delivery how);
  [[nodiscard]] item take(std::uint64_t number);
  static constexpr std::uint16_t mark = 0x4844;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};
using shared_agenda = std::shared_ptr<caf_agenda>;

/// An actor of the application's, ended with it; `handlers` are its behaviour beside the agenda.
using make_handlers = std::function<caf::message_handler(caf::event_based_actor* self)>;
[[nodiscard]] caf::actor spawn_door(core& system, shared_agenda agenda, make_handlers handlers);
/// Calls `ended` once when the actor has ended, at once when it has already, until the token goes.
[[nodiscard]] std::shared_ptr<void> watch_actor(const caf::actor& who, std::function<void()> ended);
/// From nobody.
void post_to_actor(const caf::actor& to, const caf::message& content);
/// Asks through the application's own door actor.
void ask_caf(const cell& asking, caf_agenda::item request);

template <class P, class M>
[[nodiscard]] caf::message_handler door_handler(caf::event_based_actor* self, const shared_agenda& agenda, const ref<P>& to) {
  if constexpr (!is_call<M>) {
    return caf::message_handler{[to](const M& message) { to.cast(message); }};
  } else {
    using answer = result<typename M::reply>;
    return caf::message_handler{[self, agenda, to](const M& message) {
      auto* w = new waiter_for<answer>;
      w->tell = [agenda, number = agenda->keep(self->make_response_promise())](answer r) {
        agenda->deliver(number, [r = std::move(r)](caf::response_promise& promise) mutable {
          if (!r) {
            promise.deliver(caf_error_of(r.error()));
          } else if constexpr (std::is_void_v<typename M::reply>) {
            promise.deliver(caf::unit);
          } else {
            promise.deliver(std::move(*r));
          }
        });
      };
      if (!to) return w->set(noproc_error()), w->release();
      send(make_node<call_node<P, M>>(to.where(), M{message}, reply_to{{}, 0, 0, w}));
    }};
  }
}

template <class P, class... Ms>
[[nodiscard]] caf::actor as_actor(core& system, const ref<P>& to, type_list<Ms...>) {
  const auto agenda = std::make_shared<caf_agenda>();
  return spawn_door(system, agenda, [to, agenda](caf::event_based_actor* self) {
    caf::message_handler all;
    ((all = all.or_else(door_handler<P, Ms>(self, agenda, to))), ...);
    return all;
  });
}

}  // namespace engine

/// A CAF actor that stands for the process: messages become casts, requests of its calls are answered. Ms: the messages
/// to take, when CAF does not know all that P names. The process may restart meanwhile; a request it cannot answer ends
/// with an error that says why.
template <class... Ms, class P>
[[nodiscard]] caf::actor as_actor(const application& app, const ref<P>& to) {
  if constexpr (sizeof...(Ms) == 0) {
    return engine::as_actor(app.inside(), to, typename P::accepts{});
  } else {
    static_assert((engine::accepts<P, Ms> && ...), "herald: as_actor<Messages...> wants messages that the process names");
    return engine::as_actor(app.inside(), to, engine::type_list<Ms...>{});
  }
}

/// Asks a CAF actor from a handler of `self`; `then` gets a result<R> as a continuation, errc::timeout after `limit`.
template <class R, class F, class... Ts>
void caf_request(context& self, const caf::actor& to, std::chrono::milliseconds limit, F then, Ts... message) {
  using continuation = engine::call_continuation<R, F>;
  auto* pending = new continuation{std::move(then)};
  if (!engine::begin_call(self.cell(), self.incarnation(), pending, limit)) return;
  const engine::reply_to back{self.self().where(), self.incarnation(), pending->id, nullptr};
  const auto answer = [back](result<R> r) { engine::make_node<engine::early_answer<R>>(back)->answer(std::move(r)); };
  engine::ask_caf(self.cell(),
                  [to, limit, answer, content = caf::make_message(std::move(message)...)](caf::event_based_actor* door) {
                    const auto failed = [answer](const caf::error& e) {
                      answer(error{errc::failed, "the CAF actor answered: " + exit_reason_of(e).to_string()});
                    };
                    if constexpr (std::is_void_v<R>) {
                      engine::caf_words::request(door, to, limit, content).then([answer] { answer({}); }, failed);
                    } else {
                      engine::caf_words::request(door, to, limit, content).then([answer](R& r) { answer(std::move(r)); }, failed);
                    }
                  });
}

}  // namespace herald
