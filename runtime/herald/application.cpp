#include <herald/application.hpp>

#include <algorithm>
#include <numeric>
#include <thread>

#include <herald/engine/core.hpp>
#include <herald/engine/executors.hpp>
#include <herald/engine/find.hpp>
#include <herald/engine/operation.hpp>
#include <herald/engine/shutdown_run.hpp>
#include <herald/engine/signals.hpp>
#include <herald/engine/supervisor_state.hpp>
#include <herald/engine/systemd_link.hpp>
#include <herald/simulation.hpp>

namespace herald {

using namespace engine;

namespace {

result<void> check_options(const application_options& o) {
  std::vector<field_error> faults;
  const auto fault = [&](std::string field, std::string what) { faults.push_back({std::move(field), std::move(what)}); };
  if (o.workers > 256) fault("workers", "is " + std::to_string(o.workers) + "; wanted: 0 to 256");
  if (o.hosts > 4096) fault("hosts", "is " + std::to_string(o.hosts) + "; wanted: 0 to 4096");
  if (o.overrun_limit.count() < 1) fault("overrun_limit", "is " + std::to_string(o.overrun_limit.count()) + " ms; wanted: 1 up");
  if (o.inbox_limit < 1 || o.inbox_limit > inbox::max_depth)
    fault("inbox_limit", "is " + std::to_string(o.inbox_limit) + "; wanted: 1 to " + std::to_string(inbox::max_depth));
  if (o.offload_threads < 1 || o.offload_threads > 1024)
    fault("offload_threads", "is " + std::to_string(o.offload_threads) + "; wanted: 1 to 1024");
  if (o.offload_queue < 1) fault("offload_queue", "is 0; wanted: 1 up");
  if (o.offload_stop_limit.count() < 0)
    fault("offload_stop_limit", "is " + std::to_string(o.offload_stop_limit.count()) + " ms; wanted: 0 up");
  if (o.simulation != nullptr && o.actor_system != nullptr)
    fault("actor_system", "is set together with simulation; wanted: one of them");
  if (o.spare_threads < 1 || o.spare_threads > 4096) fault("spare_threads", "is " + std::to_string(o.spare_threads) + "; wanted: 1 to 4096");
  if (o.slow_end.count() < 0) fault("slow_end", "is " + std::to_string(o.slow_end.count()) + " ms; wanted: 0 up");
  if (o.shutdown)
    if (const auto ok = o.shutdown->check(); !ok)
      for (const auto& f : ok.error().fields()) fault("shutdown: " + f.field, f.message);
  if (faults.empty()) return {};
  return error{errc::bad_option, "the application's options are wrong", std::move(faults)};
}

application_options complete(application_options o) {
  if (o.workers == 0) o.workers = std::clamp(std::thread::hardware_concurrency(), 1u, 256u);
  if (o.hosts == 0) o.hosts = std::min(2 * o.workers, 4096u);
  if (o.simulation != nullptr) {
    o.clock = &o.simulation->clock();
    o.entropy = &o.simulation->entropy();
  }
  return o;
}

}  // namespace

struct application::impl {
  impl(supervisor tree, application_options given)
      : spec{std::make_shared<const child_spec>(std::move(tree))}, options_ok{check_options(given)}, ending{given.shutdown.value_or(coordinated_shutdown{})} {
    if (!options_ok) given = {};
    system = std::make_unique<core>(complete(given), make_executor(complete(given)));
    system->root_event = [this](child_event_kind kind, const exit_reason& why) { on_root(kind, why); };
  }
  ~impl() {
    started->release();
    over->release();
  }

  /// Never freed, and in a list only so that a leak checker sees it is still meant to be there.
  static void leave_to_zombies(std::unique_ptr<impl> whole) noexcept {
    static constinit std::atomic<impl*> all{nullptr};
    auto* const one = whole.release();
    one->left_before = all.load(std::memory_order_relaxed);
    while (!all.compare_exchange_weak(one->left_before, one)) {
    }
  }

  void on_root(child_event_kind kind, const exit_reason& why) {
    switch (kind) {
      case child_event_kind::started: started->set(result<void>{}); return;
      case child_event_kind::start_failed:
        started->set(error{errc::start_failed, "the application " + spec->id + " did not start: " + why.to_string()});
        over->set(why);
        return;
      case child_event_kind::down: over->set(why); return;
      case child_event_kind::placed:
      case child_event_kind::ignored: return;
    }
  }

  result<void> start() {
    if (!options_ok) return options_ok.error();
    if (const auto ok = check_spec(*spec); !ok) return ok.error();
    {
      const std::lock_guard lock{mutex};
      if (begun) return error{errc::already_started, "the application " + spec->id + " was started before"};
      begun = true;
    }
    post_control(*system->hosts().front(), nullptr, [this](cell*, frame& by) {
      auto& c = by.home->make_cell(spec, nullptr, supervisor_ops, {}, nullptr, nullptr);
      root.store(&c, std::memory_order_release);
      system->root.store(&c, std::memory_order_release);
      by.home->start_incarnation(c, by);
    });
    if (!engine::wait(*system, *started, std::nullopt))
      return error{errc::start_failed, "the application " + spec->id + " did not start: the simulation has nothing left to do"};
    auto r = started->take();
    if (!r) {
      end_runners();
      return r.error();
    }
    up.store(true, std::memory_order_release);
    if (system->options().systemd.value_or(false)) talk_to_systemd();
    return {};
  }

  /// From here to the end of the stop, where there is a service manager that listens.
  void talk_to_systemd() {
    const auto socket = systemd::socket_name();
    if (socket.empty() || link != nullptr) return;
    auto* c = root.load(std::memory_order_acquire);
    link = std::make_unique<systemd_link>(*system, socket, c->self());
    link->ready();
  }

  void ask_to_stop(bool kill) {
    system->close();
    if (auto* c = root.load(std::memory_order_acquire))
      order_stop(c->self(), kill ? exit_reason::killed : exit_reason::shutdown, kill, nullptr);
  }

  void end_runners() {
    const std::lock_guard lock{mutex};
    if (runners_ended) return;
    runners_ended = true;
    system->close();
    zombies = zombies_now();
    const auto stuck = system->end_slots();
    zombies.insert(zombies.end(), stuck.begin(), stuck.end());
    const auto tasks = ending.inside().left_behind();
    zombies.insert(zombies.end(), tasks.begin(), tasks.end());
    // A simulation brings everything that is stuck back in the end, so nothing stands on what is freed.
    clean = system->runs().shut_down() && ((stuck.empty() && tasks.empty()) || system->options().simulation != nullptr);
    if (clean) {
      system->end_delivery();
    } else {
      system->refuse_delivery();
    }
    system->reports().flush();
  }

  stop_report stop(std::string_view from) {
    {
      const std::lock_guard lock{mutex};
      if (!begun) {
        begun = true;
        over->set(exit_reason{exit_reason::shutdown});
      }
    }
    // Whoever comes second waits for the first, and gets the same.
    const std::lock_guard lock{stop_mutex};
    if (!report) {
      const auto start = system->time().now();
      run_down(from);
      link.reset();
      end_runners();
      report = make_report(start);
    }
    return *report;
  }

  /// The phases, the tree's stop among them, for a program that had started.
  void run_down(std::string_view from) {
    const auto stop_the_tree = [this] {
      if (!over->done()) ask_to_stop(false);
      static_cast<void>(engine::wait(*system, *over, std::nullopt));
    };
    if (!up.load(std::memory_order_acquire)) return stop_the_tree();
    if (!over->done()) system->ending().begin(*system);
    if (link != nullptr) link->stopping([this] { return ending.current(); });
    ending.inside().run(*system, from, stop_the_tree);
  }

  stop_report make_report(time_point start) {
    stop_report r;
    r.reason = over->done() ? over->peek() : exit_reason{exit_reason::shutdown};
    r.gave_up = system->root_gave_up.load(std::memory_order_relaxed);
    r.zombies = zombies;
    r.took = std::chrono::duration_cast<std::chrono::milliseconds>(system->time().now() - start);
    system->ending().fill(r);
    r.shutdown = ending.outcome().value_or(shutdown_report{});
    return r;
  }
  std::vector<std::string> zombies_now() {
    const std::lock_guard lock{system->zombie_mutex};
    return system->zombie_paths;
  }

  std::shared_ptr<const child_spec> spec;
  result<void> options_ok;
  coordinated_shutdown ending;
  std::unique_ptr<core> system;
  waiter_for<result<void>>* started = new waiter_for<result<void>>;
  waiter_for<exit_reason>* over = new waiter_for<exit_reason>;
  std::atomic<cell*> root{nullptr};
  std::mutex mutex;
  bool begun = false;
  std::atomic<bool> up{false};  ///< it had started
  std::mutex stop_mutex;
  std::unique_ptr<systemd_link> link;
  std::optional<stop_report> report;
  bool runners_ended = false;
  bool clean = true;
  impl* left_before = nullptr;
  std::vector<std::string> zombies;
};

application::application(supervisor root, application_options options)
    : impl_{std::make_unique<impl>(std::move(root), std::move(options))} {}

application::~application() {
  static_cast<void>(impl_->stop({}));
  // Zombies still stand on what the application owns: it is left to them.
  if (!impl_->clean) impl::leave_to_zombies(std::move(impl_));
}

void application::start() {
  if (auto r = try_start(); !r) throw start_error{r.error()};
}
result<void> application::try_start() { return impl_->start(); }
stop_report application::stop(std::string_view from_phase) { return impl_->stop(from_phase); }
bool application::ended() const { return impl_->over->done(); }
bool application::wait_for_end(std::chrono::milliseconds limit) {
  return engine::wait(*impl_->system, *impl_->over, limit);
}

int application::run_until_signal() {
  signal_watch signals;
  if (impl_->up.load(std::memory_order_acquire) && impl_->system->options().systemd.value_or(true)) impl_->talk_to_systemd();
  const auto over = [this] { return impl_->over->done(); };
  static_cast<void>(signals.wait(over));
  // The phases have a thread of their own: this one looks out for a second signal.
  std::atomic<bool> ended{false};
  stop_report r;
  std::thread ending{[&] {
    r = impl_->stop({});
    ended.store(true, std::memory_order_release);
  }};
  if (signals.wait([&] { return ended.load(std::memory_order_acquire); })) {
    impl_->ending.inside().hurry();
    impl_->ask_to_stop(true);
  }
  ending.join();
  const int code = r.gave_up ? 1 : 0;
  if (!impl_->clean) leave_program(code);
  return code;
}

supervisor_ref application::find_supervisor(std::string_view path) const {
  if (path.empty()) return root();
  return supervisor_ref{find_cell(path, &supervisor_ops)};
}

result<spawned> application::spawn(child_spec tree, std::chrono::milliseconds limit) {
  return spawned::begin(*impl_->system, std::move(tree), limit);
}

supervisor_ref application::root() const {
  auto* c = impl_->root.load(std::memory_order_acquire);
  return c != nullptr ? supervisor_ref{c->self()} : supervisor_ref{};
}

result<void> application::kill(std::string_view path) {
  const auto found = impl_->system->names().find(path);
  if (found.where.cell == nullptr)
    return error{errc::not_found, "there is no process with the path \"" + std::string{path} + "\""};
  const runtime_entry entry;
  order_stop(found.where, exit_reason::killed, true, entry.owned());
  return {};
}

std::vector<tree_entry> application::tree(std::chrono::milliseconds limit) const {
  std::vector<tree_entry> all;
  const std::function<void(const supervisor_ref&, const std::string&)> walk = [&](const supervisor_ref& s, const std::string& at) {
    auto children = s.which_children(limit);
    if (!children) return;
    std::size_t unnamed = 0;
    for (auto i = children->size(); i-- > 0;) {
      auto& c = (*children)[i];
      auto path = (at.empty() ? at : at + "/") + (c.id.empty() ? "#" + std::to_string(++unnamed) : c.id);
      const auto who = c.who;
      const bool nested = c.supervisor && who;
      all.push_back({path, std::move(c)});
      if (nested) walk(supervisor_ref{who.where()}, path);
    }
  };
  walk(root(), {});
  return all;
}

address application::find_cell(std::string_view path, const process_ops* type) const {
  return find_in_tree(*impl_->system, path, type);
}

void application::add_sink(report_sink sink) { impl_->system->reports().add_sink(std::move(sink)); }
void application::flush_reports() { impl_->system->reports().flush(); }
std::uint64_t application::dead_letters() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& n : impl_->system->dead_letters().by_reason) sum += n.load(std::memory_order_relaxed);
  return sum;
}
core& application::inside() const noexcept { return *impl_->system; }

}  // namespace herald
