#include <herald/bus.hpp>

#include <mutex>
#include <stdexcept>

#include <herald/application.hpp>
#include <herald/context.hpp>
#include <herald/engine/bus_core.hpp>
#include <herald/engine/fan_out.hpp>
#include <herald/engine/operation.hpp>
#include <herald/topic.hpp>

namespace herald {

using namespace engine;

namespace {

std::string_view named(std::string_view name) {
  if (name.empty()) throw std::logic_error{"a second bus has an empty name; wanted: a name (the default bus has none)"};
  return name;
}

core& system_around(const context& self) { return self.cell().home->system(); }

error closed_error(std::string_view topic) {
  return {pubsub_errc::closed, "nothing was published to \"" + std::string{topic} + "\": the application is stopping or stopped"};
}

/// A record that is let go at the end of the scope.
class record_guard {
 public:
  explicit record_guard(topic_record* owned) noexcept : record_{owned} {}
  ~record_guard() {
    if (record_ != nullptr) record_->release();
  }
  record_guard(const record_guard&) = delete;
  record_guard& operator=(const record_guard&) = delete;

 private:
  topic_record* record_;
};

}  // namespace

namespace engine {
bool open(const topic_record& topic) noexcept { return !topic.bus().closed(); }
}  // namespace engine

// --- topic ------------------------------------------------------------------------------------------------------------

topic::topic(std::shared_ptr<bus_core> b, topic_record* owned) noexcept : bus_{std::move(b)}, record_{owned} {}
topic::topic(const topic& other) noexcept : bus_{other.bus_}, record_{other.record_} {
  if (bus_) record_->retain();
}
topic::~topic() {
  if (bus_) record_->release();
}
std::string_view topic::name() const noexcept { return record_->name(); }
bus topic::bus() const noexcept { return herald::bus{bus_}; }

// --- bus --------------------------------------------------------------------------------------------------------------

bus::bus(const application& app) : core_{bus_hub::of(app.inside()).default_bus()} {}
bus::bus(const context& self) : core_{bus_hub::of(system_around(self)).default_bus()} {}
bus::bus(const application& app, std::string_view name) : core_{bus_hub::of(app.inside()).bus(named(name))} {}
bus::bus(const context& self, std::string_view name) : core_{bus_hub::of(system_around(self)).bus(named(name))} {}

const std::string& bus::name() const noexcept { return core_->name(); }

result<topic> bus::topic(std::string_view name) const {
  if (auto fine = check_topic(name); !fine) return fine.error();
  return herald::topic{core_, core_->open(name)};
}

result<topic_record*> bus::look_up(std::string_view topic) const {
  if (auto fine = check_topic(topic); !fine) return fine.error();
  if (core_->closed()) return closed_error(topic);
  return core_->find(topic);
}

result<void> bus::publish(topic_record* owned, published* event, const address& except) {
  const record_guard guard{owned};
  if (!engine::publish(*owned, event, except, false)) return closed_error(owned->name());
  return {};
}

std::size_t bus::topics() const { return core_->topics(); }
std::uint64_t bus::mismatched() const noexcept { return core_->mismatched.load(std::memory_order_relaxed); }
std::uint64_t bus::missed() const noexcept { return core_->missed.load(std::memory_order_relaxed); }

// --- listing ----------------------------------------------------------------------------------------------------------

namespace {

/// What the hosts answer comes together here; the last one to let go wakes the asker.
class roll_call {
 public:
  explicit roll_call(waiter_for<bool>& asker) noexcept : asker_{&asker} { asker_->retain(); }
  ~roll_call() {
    asker_->set(true);
    asker_->release();
  }
  roll_call(const roll_call&) = delete;
  roll_call& operator=(const roll_call&) = delete;

  void take_down(seat& s, topic_table& table) {
    const std::lock_guard lock{mutex_};
    for (std::uint32_t i = 0; i < s.size; ++i) {
      const auto& entry = s.entries[i];
      if (entry.who == nullptr) continue;
      subscriber_info info;
      info.who = any_ref{entry.who->self()};
      info.path = core::path_of(*entry.who);
      if (const auto& more = table.at(entry.id).more) {
        info.key = more->given->key;
        info.metadata = more->given->metadata;
      }
      all_->push_back(std::move(info));
    }
  }
  [[nodiscard]] std::shared_ptr<std::vector<subscriber_info>> all() const { return all_; }

 private:
  waiter_for<bool>* asker_;
  std::mutex mutex_;
  std::shared_ptr<std::vector<subscriber_info>> all_ = std::make_shared<std::vector<subscriber_info>>();
};

}  // namespace

result<std::vector<subscriber_info>> bus::subscribers(std::string_view topic, std::chrono::milliseconds limit) const {
  if (on_runner())
    return error{pubsub_errc::would_block, "subscribers() blocks and was asked inside a handler; wanted: a plain thread"};
  auto found = look_up(topic);
  if (!found) return found.error();
  if (*found == nullptr) return std::vector<subscriber_info>{};
  const record_guard guard{*found};
  auto* w = new waiter_for<bool>;
  const waiter_guard drop{*w};
  auto call = std::make_shared<roll_call>(*w);
  const auto all = call->all();
  for (auto* s = (*found)->seats(); s != nullptr; s = s->next.load(std::memory_order_acquire)) {
    if (!s->joined.load(std::memory_order_acquire)) continue;
    (*found)->retain();  // the seat must outlive the question
    post_operation(*s->home, nullptr, [call, s, held = std::shared_ptr<topic_record>{*found, [](topic_record* r) { r->release(); }}](frame& f) {
      call->take_down(*s, topic_table::of(*f.home));
    });
  }
  call.reset();
  if (!engine::wait(core_->system(), *w, limit))
    return error{pubsub_errc::timeout, "the subscribers of \"" + std::string{topic} + "\" were not all told within " +
                                           std::to_string(limit.count()) + " ms"};
  return std::move(*all);
}

}  // namespace herald
