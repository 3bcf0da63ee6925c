#include <herald/shutdown.hpp>

#include <herald/engine/path_lookup.hpp>
#include <herald/engine/shutdown_run.hpp>
#include <herald/stop.hpp>

namespace herald {

coordinated_shutdown::coordinated_shutdown(std::vector<shutdown_phase> phases)
    : run_{std::make_shared<engine::shutdown_run>(std::move(phases))} {}

result<void> coordinated_shutdown::check() const { return run_->check(); }
std::vector<std::string> coordinated_shutdown::order() const { return run_->order(); }
bool coordinated_shutdown::cancel(task_id which) const { return run_->cancel(which); }
std::string coordinated_shutdown::current() const { return run_->current(); }
std::optional<shutdown_report> coordinated_shutdown::outcome() const { return run_->outcome(); }

result<coordinated_shutdown::task_id> coordinated_shutdown::add_task(std::string_view phase, std::string name,
                                                                     task_function what) const {
  return run_->add(phase, std::move(name), std::move(what));
}

result<coordinated_shutdown::task_id> coordinated_shutdown::add_stop(std::string_view phase, any_ref who, exit_reason why) const {
  const auto* found = run_->find(phase);
  const auto limit = found != nullptr ? found->limit : default_call_limit;
  auto added = add_task(phase, who ? "stop a process" : "stop nobody", [who, why = std::move(why), limit](const std::stop_token&) -> result<void> {
    auto ended = stop(who, why, limit);
    if (ended.is(errc::noproc)) return {};
    return ended;
  });
  // Its path is asked of its own host, which may be another thread's.
  if (added && who)
    engine::look_up_paths(engine::system_of(*who.where().cell), {who.where()},
                          [run = run_, id = *added](const std::vector<std::string>& paths) {
                            if (!paths.front().empty()) run->rename(id, "stop " + paths.front());
                          });
  return added;
}

}  // namespace herald
