#include <herald/testing/probe.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include <herald/engine/core.hpp>
#include <herald/simulation.hpp>

namespace herald::testing::detail {

struct probe_log::impl {
  mutable std::mutex mutex;
  std::condition_variable came;
  std::deque<entry> entries;
  std::map<const engine::type_tag*, answerer> answers;

  [[nodiscard]] auto find(const engine::type_tag* type) const {
    return type == nullptr ? entries.begin() : std::find_if(entries.begin(), entries.end(), [&](const entry& e) {
      return e.type == type;
    });
  }
};

probe_log::probe_log() : impl_{std::make_unique<impl>()} {}
probe_log::~probe_log() = default;

void probe_log::add(entry e) {
  {
    const std::lock_guard lock{impl_->mutex};
    impl_->entries.push_back(std::move(e));
  }
  impl_->came.notify_all();
}

probe_log::answerer probe_log::answer_for(const engine::type_tag& type) const {
  const std::lock_guard lock{impl_->mutex};
  const auto found = impl_->answers.find(&type);
  return found != impl_->answers.end() ? found->second : answerer{};
}

void probe_log::set_answer(const engine::type_tag& type, answerer how) {
  const std::lock_guard lock{impl_->mutex};
  impl_->answers[&type] = std::move(how);
}

probe_log::entry probe_log::take(application& app, const engine::type_tag* type, std::chrono::nanoseconds limit) {
  const auto there = [&] {
    const std::lock_guard lock{impl_->mutex};
    return impl_->find(type) != impl_->entries.end();
  };
  if (auto* sim = app.inside().options().simulation; sim != nullptr) {
    const auto end = sim->now() + limit;
    if (!sim->run_until(there, limit) && sim->now() < end) sim->advance(end - sim->now());
  } else {
    std::unique_lock lock{impl_->mutex};
    impl_->came.wait_for(lock, limit, [&] { return impl_->find(type) != impl_->entries.end(); });
  }
  const std::lock_guard lock{impl_->mutex};
  const auto found = impl_->find(type);
  if (found == impl_->entries.end()) return {};
  auto e = *found;
  impl_->entries.erase(found);
  return e;
}

std::size_t probe_log::waiting() const {
  const std::lock_guard lock{impl_->mutex};
  return impl_->entries.size();
}

std::string probe_log::listing() const {
  const std::lock_guard lock{impl_->mutex};
  std::string text;
  for (const auto& e : impl_->entries) text.append(text.empty() ? "" : ", ").append(e.type->name);
  return text.empty() ? "nothing" : text;
}

void fail_probe(application& app, const std::string& text) {
  const auto* sim = app.inside().options().simulation;
  throw failure{sim == nullptr ? text : text + " (HERALD_SEED=" + std::to_string(sim->seed()) + ")"};
}

void wait_for(application& app, const std::function<bool()>& done, const char* what) {
  constexpr std::chrono::seconds limit{10};
  if (auto* sim = app.inside().options().simulation; sim != nullptr) {
    if (sim->run_until(done, limit)) return;
  } else {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < end) {
      if (done()) return;
      std::this_thread::yield();
    }
  }
  fail_probe(app, std::string{"waited in vain for "} + what);
}

}  // namespace herald::testing::detail
