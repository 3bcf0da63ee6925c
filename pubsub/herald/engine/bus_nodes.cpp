// The way from a bus to other nodes, and what a bus can tell of all its topics.

#include <chrono>
#include <utility>

#include <herald/adapter.hpp>
#include <herald/dispatcher.hpp>
#include <herald/engine/bus_core.hpp>

namespace herald::engine {

result<void> bus_core::attach(std::shared_ptr<adapter> way, std::string node_name) {
  const std::lock_guard lock{remote_mutex_};
  if (std::exchange(kept_, true))
    return error{pubsub_errc::bad_option, "the bus \"" + name_ + "\" has a keeper already; wanted: one pubsub(...) a bus"};
  remote_ = std::move(way);
  node_name_ = std::move(node_name);
  if (remote_) routing_.fetch_or(remote_bit, std::memory_order_acq_rel);
  return {};
}

void bus_core::detach() noexcept {
  const std::lock_guard lock{remote_mutex_};
  kept_ = false;
  remote_.reset();
  dispatcher_.reset();
  routing_.fetch_and(~(remote_bit | dispatched_bit), std::memory_order_acq_rel);
}

void bus_core::set_dispatcher(std::shared_ptr<const dispatcher> by) {
  const std::lock_guard lock{remote_mutex_};
  dispatcher_ = std::move(by);
  if (dispatcher_) routing_.fetch_or(dispatched_bit, std::memory_order_acq_rel);
}

std::shared_ptr<const dispatcher> bus_core::own_dispatcher() const {
  const std::lock_guard lock{remote_mutex_};
  return dispatcher_;
}

std::shared_ptr<adapter> bus_core::remote() const {
  const std::lock_guard lock{remote_mutex_};
  return remote_;
}

std::string bus_core::node_name() const {
  const std::lock_guard lock{remote_mutex_};
  return node_name_;
}

std::vector<held_topic> bus_core::all() {
  std::vector<held_topic> found;
  for (auto& s : shards_) {
    const std::shared_lock lock{s.mutex};
    for (auto* head : s.buckets) {
      for (auto* r = head; r != nullptr; r = r->bucket_next_) {
        r->retain();
        found.push_back(hold_topic(r));
      }
    }
  }
  return found;
}

double bus_core::rate_of(const std::string& name, std::uint64_t count, time_point now) {
  const std::lock_guard lock{samples_mutex_};
  if (samples_.size() >= max_samples) samples_.clear();
  const auto [at, first] = samples_.try_emplace(name, sample{count, now});
  if (first) return 0;
  const auto before = std::exchange(at->second, sample{count, now});
  const std::chrono::duration<double> time = now - before.when;
  return time.count() > 0 && count >= before.count ? static_cast<double>(count - before.count) / time.count() : 0;
}

}  // namespace herald::engine
