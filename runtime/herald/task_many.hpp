#pragma once
// Several tasks at once: all of their answers, or as many as there are.
//
//   await_many(self, std::move(quotes), 2s, [this](result<std::vector<money>> all) { ... });
//   yield_many(self, downloads_, {.limit = 1s, .on_timeout = on_timeout_t::kill}, [this](auto answers) { ... });
//
// Rules, errors and thread safety as for one task (task.hpp). A plain thread's forms block and return the same.
// The idea: Elixir's Task.await_many and Task.yield_many.

#include <herald/task.hpp>

namespace herald {

/// What becomes of a task that has no answer when a wait ends.
enum class on_timeout_t : std::uint8_t {
  nothing,  ///< it goes on, and may be asked again
  ignore,   ///< it goes on, and nobody hears of it
  kill,     ///< it is ended
};

struct yield_options {
  std::chrono::milliseconds limit = default_call_limit;  ///< 0 up
  std::size_t enough = ~std::size_t{0};                  ///< so many answers end the wait, 1 up
  on_timeout_t on_timeout = on_timeout_t::nothing;       ///< for those that have none by then
};

namespace engine {

template <class T>
struct many_values {
  using type = std::vector<T>;
};
template <>
struct many_values<void> {
  using type = void;
};
/// What await_many gives: all values in the order of the tasks; for tasks without a value, nothing.
template <class T>
using many = result<typename many_values<T>::type>;
template <class T>
using task_states = std::vector<std::shared_ptr<task_state<T>>>;
template <class T>
using yields = std::vector<std::optional<result<T>>>;

/// Throws std::logic_error when an option is not allowed.
void check_yield_options(const yield_options& o);

template <class T>
[[nodiscard]] task_states<T> states_of(const std::vector<task<T>>& tasks) {
  task_states<T> all;
  for (const auto& t : tasks) all.push_back(t.inside());
  return all;
}

template <class T>
[[nodiscard]] auto arm_many(const task_states<T>& all, task_owner by, std::size_t enough, bool fail_fast) {
  return [all, by, enough, fail_fast](reply_once<void> to) {
    const auto group = std::make_shared<answer_group>(std::move(to), std::min(enough, all.size()), fail_fast);
    for (const auto& state : all) {
      const auto why = state ? state->listen(by, group) : std::optional<error>{spent_task_error()};
      if (why) return group->refuse(*why);
    }
  };
}

template <class T>
[[nodiscard]] many<T> all_of(const task_states<T>& all, const result<void>& woken) {
  std::vector<std::optional<result<T>>> answers;
  const error* first = nullptr;
  bool missing = false;
  for (const auto& state : all) {
    answers.push_back(state && (woken || woken.is(errc::timeout)) ? state->take() : std::nullopt);
    const auto& r = answers.back();
    if (!r) missing = true;
  }
  for (const auto& r : answers)
    if (first == nullptr && r && !*r) first = &r->error();
  if (missing || first != nullptr) {
    for (std::size_t i = 0; i < all.size(); ++i)
      if (!answers[i] && all[i]) all[i]->give_up();
    if (first != nullptr) return *first;
    return woken ? spent_task_error() : woken.error();
  }
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    std::vector<T> values;
    values.reserve(answers.size());
    for (auto& r : answers) values.push_back(**std::move(r));
    return values;
  }
}

template <class T>
[[nodiscard]] yields<T> yields_of(const task_states<T>& all, const yield_options& o, const result<void>& woken) {
  yields<T> answers;
  const bool asked = woken || woken.is(errc::timeout);
  for (const auto& state : all) {
    if (!asked || !state) {
      answers.emplace_back(asked ? spent_task_error() : woken.error());
      continue;
    }
    answers.push_back(state->take());
    if (answers.back()) continue;
    state->unlisten();
    if (o.on_timeout == on_timeout_t::kill) state->stop(true);
    if (o.on_timeout != on_timeout_t::nothing) state->unlink();
  }
  return answers;
}

}  // namespace engine

/// `then` gets the values in the order of the tasks, or the first error as soon as one fails; the rest is given up
/// then.
template <class T, class F>
void await_many(context& self, std::vector<task<T>> tasks, std::chrono::milliseconds limit, F then) {
  const auto all = engine::states_of(tasks);
  const auto arm = engine::arm_many(all, engine::owner_of(self), all.size(), true);
  engine::wait_in_handler(
      self, limit, arm,
      [tasks = std::move(tasks), all, then = std::move(then)](context& me, const result<void>& woken) mutable {
        engine::tell(then, me, engine::all_of(all, woken));
      });
}
/// For co_await (coroutine.hpp): the same as a value.
template <class T>
[[nodiscard]] auto await_many(context& self, std::vector<task<T>> tasks, time_limit limit = default_call_limit) {
  const auto all = engine::states_of(tasks);
  return engine::wait_inside(self, limit, engine::arm_many(all, engine::owner_of(self), all.size(), true),
                             [tasks = std::move(tasks), all](const result<void>& woken) { return engine::all_of(all, woken); });
}
template <class T>
[[nodiscard]] engine::many<T> await_many(std::vector<task<T>> tasks,
                                         std::chrono::milliseconds limit = default_call_limit) {
  const auto all = engine::states_of(tasks);
  if (all.empty()) return engine::all_of(all, {});
  if (engine::on_runner()) return engine::would_block_error();
  if (!all.front()) return engine::spent_task_error();
  return engine::all_of(
      all, engine::wait_on_thread(all.front()->system(), limit, engine::arm_many(all, {}, all.size(), true)));
}

/// `then` gets an optional<result<T>> for each task, in their order: the answers there are when the wait ends.
template <class T, class F>
void yield_many(context& self, const std::vector<task<T>>& tasks, const yield_options& o, F then) {
  engine::check_yield_options(o);
  const auto all = engine::states_of(tasks);
  const auto arm = engine::arm_many(all, engine::owner_of(self), o.enough, false);
  engine::wait_in_handler(self, o.limit, arm,
                          [all, o, then = std::move(then)](context& me, const result<void>& woken) mutable {
                            engine::tell(then, me, engine::yields_of(all, o, woken));
                          });
}
/// For co_await.
template <class T>
[[nodiscard]] auto yield_many(context& self, const std::vector<task<T>>& tasks, const yield_options& o = {}) {
  engine::check_yield_options(o);
  const auto all = engine::states_of(tasks);
  return engine::wait_inside(self, o.limit, engine::arm_many(all, engine::owner_of(self), o.enough, false),
                             [all, o](const result<void>& woken) { return engine::yields_of(all, o, woken); });
}
template <class T>
[[nodiscard]] engine::yields<T> yield_many(const std::vector<task<T>>& tasks, const yield_options& o = {}) {
  engine::check_yield_options(o);
  const auto all = engine::states_of(tasks);
  if (all.empty()) return {};
  if (engine::on_runner()) return engine::yields_of(all, o, engine::would_block_error());
  if (!all.front()) return engine::yields_of(all, o, engine::spent_task_error());
  return engine::yields_of(
      all, o, engine::wait_on_thread(all.front()->system(), o.limit, engine::arm_many(all, {}, o.enough, false)));
}

}  // namespace herald
