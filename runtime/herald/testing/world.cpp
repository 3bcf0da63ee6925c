#include <herald/testing/world.hpp>

#include <algorithm>
#include <mutex>

#include <fmt/format.h>

namespace herald::testing {

struct world::impl {
  impl(supervisor root, world_options options) : sim{options.seed}, began{sim.now()} {
    options.application.simulation = &sim;
    options.application.faults = &faults;
    options.application.sinks.push_back([this](const report& r) {
      const std::lock_guard lock{mutex};
      reports.push_back(r);
    });
    app = std::make_unique<application>(std::move(root), std::move(options.application));
  }
  simulation sim;
  std::chrono::steady_clock::time_point began;
  testing::faults faults;
  std::mutex mutex;
  std::vector<report> reports;
  std::unique_ptr<application> app;
};

world::world(supervisor root, world_options options)
    : impl_{std::make_unique<impl>(std::move(root), std::move(options))} {}

world::~world() = default;

world& world::start() {
  impl_->app->start();
  return *this;
}

stop_report world::stop() { return impl_->app->stop(); }
application& world::app() noexcept { return *impl_->app; }
simulation& world::sim() noexcept { return impl_->sim; }
faults& world::faults() noexcept { return impl_->faults; }
std::uint64_t world::seed() const noexcept { return impl_->sim.seed(); }

void world::run() {
  if (!impl_->sim.run()) throw failure{describe("the processes never come to rest")};
}

void world::advance(std::chrono::nanoseconds time) { impl_->sim.advance(time); }

void world::run_until(std::string_view what, const std::function<bool()>& done, std::chrono::nanoseconds limit) {
  const auto end = impl_->sim.now() + limit;
  if (impl_->sim.run_until(done, limit)) return;
  if (impl_->sim.now() < end) impl_->sim.advance(end - impl_->sim.now());
  if (!done())
    throw failure{describe(fmt::format("waited for {}, which did not happen within {} ms", what,
                                       std::chrono::duration_cast<std::chrono::milliseconds>(limit).count()))};
}

void world::missing(std::string_view path, std::string_view type) {
  std::string there;
  for (const auto& entry : app().tree()) there += fmt::format("{}{}", there.empty() ? "" : ", ", entry.path);
  throw failure{describe(fmt::format("no process of type {} at \"{}\"; there are: {}", type, path, there))};
}

std::vector<report> world::reports() {
  app().flush_reports();
  const std::lock_guard lock{impl_->mutex};
  return impl_->reports;
}

std::size_t world::count(report::kind_t kind, std::string_view path) {
  const auto all = reports();
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const report& r) {
    return r.kind == kind && (path.empty() || r.path == path);
  }));
}

std::string world::describe(std::string_view text) const {
  const auto ms = std::chrono::duration<double, std::milli>(impl_->sim.now() - impl_->began).count();
  return fmt::format("{} (HERALD_SEED={}, after {} ms of virtual time)", text, seed(), ms);
}

}  // namespace herald::testing
