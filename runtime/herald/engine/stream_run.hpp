#pragma once
// A stream of tasks at work: the window of those that run, and the two who drive it, a handler's continuations and a
// plain thread.

#include <deque>
#include <memory>
#include <optional>
#include <ranges>
#include <utility>

#include <herald/task.hpp>

namespace herald {

enum class stream_timeout_t : std::uint8_t {
  end_stream,  ///< the stream ends with timeout, and its tasks with it
  kill_task,   ///< the task is ended, its element's answer is timeout, and the stream goes on
};

struct stream_options {
  /// Tasks at a time, 1 up; none: as many as the application has hosts.
  std::optional<std::size_t> max_concurrency{};
  bool ordered = true;              ///< answers in the order of the elements; false: as they come
  std::chrono::milliseconds timeout = default_call_limit;  ///< of each task, 0 up
  stream_timeout_t on_timeout = stream_timeout_t::end_stream;
  task_options task{};
};

namespace engine {

/// Throws std::logic_error when an option is not allowed.
void check_stream_options(const stream_options& o);
[[nodiscard]] time_point now_of(core& system) noexcept;
/// How many tasks of a stream run at a time.
[[nodiscard]] std::size_t width_of(const stream_options& o, const supervisor_ref& sup) noexcept;

template <class F, class In>
auto value_for(F& fn, context& self, In& in) {
  if constexpr (std::is_invocable_v<F&, context&, In&>) {
    return value_of(fn, self, in);
  } else {
    return value_of(fn, in);
  }
}

/// The elements that are under way, oldest first.
template <class Range, class F>
class stream_window {
 public:
  using input = std::ranges::range_value_t<Range>;
  using value =
      typename decltype(value_for(std::declval<F&>(), std::declval<context&>(), std::declval<input&>()))::value_type;
  struct slot {
    std::uint64_t number;
    input in;
    task<value> job;
    std::optional<result<value>> answer{};
    time_point until{};
  };

  stream_window(const supervisor_ref& sup, Range items, F fn, const stream_options& o)
      : sup_{sup}, items_{std::move(items)}, fn_{std::move(fn)}, options_{o}, width_{width_of(o, sup)}, next_{std::ranges::begin(items_)} {}
  stream_window(const stream_window&) = delete;
  stream_window& operator=(const stream_window&) = delete;

  [[nodiscard]] bool can_start() {
    return slots.size() < width_ && next_ != std::ranges::end(items_);
  }
  /// For the next element; `owner` null: a plain thread.
  slot& start(context* owner) {
    input in = *next_;
    ++next_;
    auto work = [fn = fn_, in](context& me) mutable { return value_for(fn, me, in); };
    auto job = owner != nullptr ? async(*owner, sup_, std::move(work), options_.task)
                                : async(sup_, std::move(work), options_.task);
    return slots.emplace_back(slot{number_++, std::move(in), std::move(job)});
  }
  [[nodiscard]] slot* find(std::uint64_t number) {
    for (auto& s : slots)
      if (s.number == number) return &s;
    return nullptr;
  }
  void stop_all() noexcept {
    for (auto& s : slots)
      if (s.job && !s.answer) s.job.inside()->stop(true);
    slots.clear();
  }
  [[nodiscard]] const stream_options& options() const noexcept { return options_; }
  [[nodiscard]] core& system() const noexcept { return system_of(*any_ref{sup_}.where().cell); }

  /// Hands over what may be handed over now. False: `each` wants no more.
  template <class Each>
  [[nodiscard]] bool hand_over(Each& each) {
    for (auto s = slots.begin(); s != slots.end();) {
      if (!s->answer) {
        if (options_.ordered) return true;
        ++s;
        continue;
      }
      auto in = std::move(s->in);
      auto answer = std::move(*s->answer);
      s = slots.erase(s);
      if (!hand(each, in, std::move(answer))) return false;
    }
    return true;
  }
  /// A task that was not started is the stream's own failure.
  [[nodiscard]] static bool not_started(const slot& s, const std::optional<result<value>>& r) {
    return r && !*r && s.job.inside()->ended().kind() == exit_reason::kind_t::noproc;
  }

  std::deque<slot> slots;

 private:
  template <class Each>
  [[nodiscard]] static bool hand(Each& each, input& in, result<value> answer) {
    const auto call = [&]() -> decltype(auto) {
      if constexpr (std::is_invocable_v<Each&, const input&, result<value>>) {
        return each(std::as_const(in), std::move(answer));
      } else {
        return each(std::move(answer));
      }
    };
    if constexpr (std::is_convertible_v<decltype(call()), bool>) {
      return static_cast<bool>(call());
    } else {
      call();
      return true;
    }
  }
  supervisor_ref sup_;
  Range items_;
  F fn_;
  stream_options options_;
  std::size_t width_;
  std::ranges::iterator_t<Range> next_;
  std::uint64_t number_ = 0;
};

/// Driven by the continuations of its owner's handlers, which keep it.
template <class Range, class F, class Each, class Over>
class stream_run final : public std::enable_shared_from_this<stream_run<Range, F, Each, Over>> {
 public:
  stream_run(const supervisor_ref& sup, Range items, F fn, const stream_options& o, Each each, Over over)
      : window_{sup, std::move(items), std::move(fn), o}, each_{std::move(each)}, over_{std::move(over)} {}

  /// Also the end of an empty range comes later, as a continuation of its own.
  void begin(context& self) {
    wait_in_handler(
        self, no_limit, [](reply_once<void> to) { to.answer({}); },
        [me = this->shared_from_this()](context& my, const result<void>&) { me->go_on(my); });
  }

 private:
  using window = stream_window<Range, F>;
  using answer = std::optional<result<typename window::value>>;

  void go_on(context& self) {
    while (!ended_ && window_.can_start()) {
      auto& s = window_.start(&self);
      s.job.yield(self, window_.options().timeout,
                  [me = this->shared_from_this(), number = s.number](context& my, answer r) {
                    me->came(my, number, std::move(r));
                  });
    }
    if (!ended_ && window_.slots.empty()) end(self, {});
  }
  void came(context& self, std::uint64_t number, answer r) {
    auto* s = ended_ ? nullptr : window_.find(number);
    if (s == nullptr) return;
    if (window::not_started(*s, r)) return end(self, r->error());
    if (!r) {
      error late{errc::timeout,
                 "a task of the stream took longer than " + std::to_string(window_.options().timeout.count()) + " ms"};
      if (window_.options().on_timeout == stream_timeout_t::end_stream) return end(self, std::move(late));
      s->job.inside()->stop(true);
      r.emplace(std::move(late));
    }
    s->answer = std::move(r);
    if (!window_.hand_over(each_)) return end(self, {});
    go_on(self);
  }
  void end(context& self, result<void> how) {
    ended_ = true;
    window_.stop_all();
    tell(over_, self, std::move(how));
  }
  window window_;
  Each each_;
  Over over_;
  bool ended_ = false;
};

/// Driven by a plain thread.
template <class Range, class F, class Each>
[[nodiscard]] result<void> run_stream(stream_window<Range, F>& w, Each& each) {
  const auto& o = w.options();
  for (;;) {
    while (w.can_start()) w.start(nullptr).until = now_of(w.system()) + o.timeout;
    if (w.slots.empty()) return {};
    // Whichever is ready first, or the first limit.
    auto until = time_point::max();
    for (const auto& s : w.slots)
      if (!s.answer) until = std::min(until, s.until);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now_of(w.system()));
    const auto woken =
        wait_on_thread(w.system(), std::max(left, std::chrono::milliseconds{0}), [&](reply_once<void> to) {
          const auto group = std::make_shared<answer_group>(std::move(to), 1, false);
          for (auto& s : w.slots)
            if (!s.answer)
              if (const auto why = s.job.inside()->listen({}, group)) return group->refuse(*why);
        });
    static_cast<void>(woken);
    for (auto& s : w.slots) {
      if (s.answer) continue;
      s.job.inside()->unlisten();
      s.answer = s.job.inside()->take();
      if (stream_window<Range, F>::not_started(s, s.answer)) {
        const auto why = s.answer->error();
        w.stop_all();
        return why;
      }
      if (s.answer || now_of(w.system()) < s.until) continue;
      error late{errc::timeout, "a task of the stream took longer than " + std::to_string(o.timeout.count()) + " ms"};
      if (o.on_timeout == stream_timeout_t::end_stream) {
        w.stop_all();
        return late;
      }
      s.job.inside()->stop(true);
      s.answer.emplace(std::move(late));
    }
    if (!w.hand_over(each)) {
      w.stop_all();
      return {};
    }
  }
}

}  // namespace engine

}  // namespace herald
