#pragma once
// What CAF 0.17 and CAF 1.x say in different words, under one name each: the only place that knows their versions. For the
// seam, the door (herald/caf.hpp), and tests and baselines that are CAF programs themselves.
//
// Threads: as CAF's functions of these names.

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/config.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/message.hpp>
#include <caf/message_id.hpp>

#if CAF_MAJOR_VERSION >= 1
#include <caf/init_global_meta_objects.hpp>
#include <caf/scheduler.hpp>
#include <caf/type_id.hpp>
#else
#include <caf/atom.hpp>
#include <caf/execution_unit.hpp>
#include <caf/logger.hpp>
#endif

#include <cstddef>
#include <string>
#include <utility>

namespace herald::engine::caf_words {

#if CAF_MAJOR_VERSION >= 1

inline constexpr const char* version = "1";
/// What runs an actor, as its context() tells.
using execution_t = caf::scheduler;
/// CAF's own types and those of a program's blocks, before its first actor system; again does no harm.
template <class... Blocks>
void init_types() {
  caf::core::init_global_meta_objects();
  (caf::init_global_meta_objects<Blocks>(), ...);
}
/// What CAF keeps in this thread of a system that is about to end.
inline void forget_system() {}
template <class T>
void configure(caf::actor_system_config& config, const std::string& scheduler_key, T value) {
  config.set("caf.scheduler." + scheduler_key, std::move(value));
}
inline void share_work(caf::actor_system_config& config) { configure(config, "policy", std::string{"sharing"}); }
/// Anonymous. With the execution of the actor that sends, no other worker is woken for nothing.
inline void enqueue(const caf::actor& to, const caf::message& content, execution_t* execution) {
  caf::actor_cast<caf::abstract_actor*>(to)->enqueue(
      caf::make_mailbox_element(nullptr, caf::make_message_id(), content), execution);
}

#else

inline constexpr const char* version = "0.17";
using execution_t = caf::execution_unit;
template <class... Blocks>
void init_types() {}
inline void forget_system() { caf::logger::set_current_actor_system(nullptr); }
template <class T>
void configure(caf::actor_system_config& config, const std::string& scheduler_key, T value) {
  config.set("scheduler." + scheduler_key, std::move(value));
}
/// The stealing policy polls while idle and walks its queues on bursts.
inline void share_work(caf::actor_system_config& config) { configure(config, "policy", caf::atom("sharing")); }
inline void enqueue(const caf::actor& to, const caf::message& content, execution_t* execution) {
  caf::actor_cast<caf::abstract_actor*>(to)->enqueue(nullptr, caf::make_message_id(), content, execution);
}

#endif

template <class Self, class... Ts>
void send(Self* self, const caf::actor& to, Ts... content) {
  if constexpr (requires { self->mail(content...); }) {
    self->mail(std::move(content)...).send(to);
  } else {
    self->send(to, std::move(content)...);
  }
}

/// What then() or receive() is called on.
template <class Self, class Limit, class... Ts>
[[nodiscard]] auto request(Self* self, const caf::actor& to, Limit limit, Ts... content) {
  if constexpr (requires { self->mail(content...); }) {
    return self->mail(std::move(content)...).request(to, limit);
  } else {
    return self->request(to, limit, std::move(content)...);
  }
}

}  // namespace herald::engine::caf_words
