#pragma once
// The problem: to test a process one must be what it talks to. A probe is a process of the tree that takes the messages it
// names, keeps them for the test to look at, and answers calls as the test says.
//
//   probe<alarm, ask_price> p{w};                              // w: a world, or an application on real threads
//   p.answer<ask_price>([](const ask_price&) { return 42.0; });
//   watcher.cast(report_to{p.as_ref()});
//   CHECK(p.expect<alarm>().level == 3);                       // the next message, which must be an alarm
//   p.expect_nothing();
//
// A probe is a temporary child of the root, added at run time under its name: it ends with the tree, with `end`, or with
// a group restart of a one_for_all root.
//
// Thread safety: one thread uses the probe; messages come from anywhere. Lifetime: not longer than its world. Errors:
// failure, with what came instead. Limits are virtual time in a simulation. The idea: Akka's TestProbe.

#include <any>
#include <chrono>
#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>

#include <herald/application.hpp>
#include <herald/process.hpp>
#include <herald/testing/world.hpp>

namespace herald::testing {

namespace detail {

struct probe_inside {
  std::function<void(context&)> run;
};

/// What the probe's process and its test share.
class probe_log {
 public:
  struct entry {
    const engine::type_tag* type = nullptr;
    std::shared_ptr<const void> message;
  };
  using answerer = std::function<void(const void* message, void* reply)>;

  probe_log();
  ~probe_log();
  void add(entry e);
  /// How the test answers calls of this type; empty: not said.
  [[nodiscard]] answerer answer_for(const engine::type_tag& type) const;
  void set_answer(const engine::type_tag& type, answerer how);

  /// The first entry (of this type, when given), taken out. Waits at most `limit`.
  [[nodiscard]] entry take(application& app, const engine::type_tag* type, std::chrono::nanoseconds limit);
  [[nodiscard]] std::size_t waiting() const;
  /// "alarm, alarm, down", or "nothing".
  [[nodiscard]] std::string listing() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

[[noreturn]] void fail_probe(application& app, const std::string& text);
/// Runs the simulation, if it is one, until `done`; else waits for it.
void wait_for(application& app, const std::function<bool()>& done, const char* what);

template <class M>
struct reply_of {
  using type = void;
};
template <engine::is_call M>
struct reply_of<M> {
  using type = typename M::reply;
};

template <class... Ms>
struct probe_process : process<probe_process<Ms...>, Ms..., down, restarted, probe_inside> {
  struct args {
    std::shared_ptr<probe_log> log;
  };
  explicit probe_process(args a) : log_{std::move(a.log)} {}

  void on(context& self, const probe_inside& m) { m.run(self); }
  template <class M>
    requires(!std::same_as<M, probe_inside>)
  typename reply_of<M>::type on(context&, const M& message) {
    log_->add({&engine::tag_of<M>, std::make_shared<const M>(message)});
    if constexpr (engine::is_call<M>) {
      using reply = typename M::reply;
      const auto how = log_->answer_for(engine::tag_of<M>);
      if constexpr (std::is_void_v<reply>) {
        if (how) how(&message, nullptr);
      } else {
        if (!how) throw failure{"the probe was asked " + std::string{engine::tag_of<M>.name} + " and has no answer for it"};
        std::optional<reply> r;
        how(&message, &r);
        return std::move(*r);
      }
    }
  }

 private:
  std::shared_ptr<probe_log> log_;
};

}  // namespace detail

template <class... Ms>
class probe {
 public:
  using process_type = detail::probe_process<Ms...>;
  static constexpr std::chrono::nanoseconds default_limit = std::chrono::seconds{1};

  explicit probe(world& w, std::string name = "probe") : probe{w.app(), std::move(name)} {}
  explicit probe(application& app, std::string name = "probe") : app_{app}, name_{std::move(name)} {
    auto made = app_.root().start_child(child<process_type>(name_, {log_}, {.restart = temporary}));
    if (!made) detail::fail_probe(app_, "the probe \"" + name_ + "\" could not be started: " + made.error().to_string());
    where_ = herald::ref<process_type>{made->where()};
  }

  [[nodiscard]] herald::ref<process_type> as_ref() const noexcept { return where_; }
  operator any_ref() const noexcept { return where_; }  // NOLINT: a probe is a process

  /// How it answers M, from now on: a function from const M& to M::reply.
  template <class M, class F>
    requires(engine::is_call<M>)
  void answer(F how) {
    log_->set_answer(engine::tag_of<M>, [how = std::move(how)](const void* message, void* reply) mutable {
      if constexpr (std::is_void_v<typename M::reply>) {
        how(*static_cast<const M*>(message));
      } else {
        static_cast<std::optional<typename M::reply>*>(reply)->emplace(how(*static_cast<const M*>(message)));
      }
    });
  }

  /// The next message, which must be an M.
  template <class M>
  M expect(std::chrono::nanoseconds limit = default_limit) {
    const auto e = log_->take(app_, nullptr, limit);
    if (e.type != &engine::tag_of<M>) unexpected(engine::tag_of<M>, e, limit);
    return *static_cast<const M*>(e.message.get());
  }
  /// The next M; others that came before it stay.
  template <class M>
  M fish(std::chrono::nanoseconds limit = default_limit) {
    const auto e = log_->take(app_, &engine::tag_of<M>, limit);
    if (e.type == nullptr) unexpected(engine::tag_of<M>, e, limit);
    return *static_cast<const M*>(e.message.get());
  }
  /// Nothing waits, and nothing comes within `time`.
  void expect_nothing(std::chrono::nanoseconds time = std::chrono::milliseconds{100}) {
    const auto e = log_->take(app_, nullptr, time);
    if (e.type != nullptr)
      detail::fail_probe(app_, "the probe \"" + name_ + "\" expected nothing, got " + std::string{e.type->name});
  }
  /// Messages that came and were not looked at.
  [[nodiscard]] std::size_t waiting() const { return log_->waiting(); }

  /// Watches a process; `restarted` and `down` come like other messages.
  void watch(const any_ref& who) {
    inside([&](context& self) { self.monitor(who); });
  }
  /// Runs `code` in the probe as a handler and returns when it has; what it throws is thrown here.
  void inside(const std::function<void(context&)>& code) {
    bool done = false;
    std::exception_ptr thrown;
    std::mutex guard;
    where_.cast(detail::probe_inside{[&](context& self) {
      std::exception_ptr problem;
      try {
        code(self);
      } catch (...) {
        problem = std::current_exception();
      }
      const std::lock_guard lock{guard};
      thrown = problem;
      done = true;
    }});
    detail::wait_for(
        app_,
        [&] {
          const std::lock_guard lock{guard};
          return done;
        },
        "the probe to run what it was given");
    if (thrown) std::rethrow_exception(thrown);
  }
  /// Ends the probe.
  void end() { static_cast<void>(app_.root().terminate_child(name_)); }

 private:
  [[noreturn]] void unexpected(const engine::type_tag& wanted, const detail::probe_log::entry& got,
                               std::chrono::nanoseconds limit) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(limit).count();
    std::string text = "the probe \"" + name_ + "\" expected " + std::string{wanted.name};
    if (got.type != nullptr) {
      text += ", got " + std::string{got.type->name};
    } else {
      text += " within " + std::to_string(ms) + " ms";
    }
    detail::fail_probe(app_, text + "; behind it: " + log_->listing());
  }
  application& app_;
  std::string name_;
  std::shared_ptr<detail::probe_log> log_ = std::make_shared<detail::probe_log>();
  herald::ref<process_type> where_;
};

}  // namespace herald::testing
