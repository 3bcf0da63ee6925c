#include <herald/bus.hpp>

#include <stdexcept>

#include <herald/application.hpp>
#include <herald/context.hpp>
#include <herald/dispatcher.hpp>
#include <herald/engine/bus_core.hpp>
#include <herald/engine/fan_out.hpp>
#include <herald/engine/retention.hpp>
#include <herald/topic.hpp>

namespace herald {

using namespace engine;

namespace {

std::string_view named(std::string_view name) {
  if (name.empty()) throw std::logic_error{"a second bus has an empty name; wanted: a name (the default bus has none)"};
  if (auto fine = check_bus_name(name); !fine) throw std::logic_error{fine.error().message()};
  return name;
}

core& system_around(const context& self) { return self.cell().home->system(); }

}  // namespace

namespace engine {
bool open(const topic_record& topic) noexcept { return !topic.bus().closed(); }

result<void> check_bus_name(std::string_view name) {
  if (name.size() > max_bus_name)
    return error{pubsub_errc::bad_option, "a bus has a name of " + std::to_string(name.size()) + " bytes; wanted: 1 to 255"};
  for (std::size_t i = 0; i < name.size(); ++i)
    if (static_cast<unsigned char>(name[i]) < 0x20 || name[i] == 0x7f)
      return error{pubsub_errc::bad_option, "a bus has a name with a control character at byte " + std::to_string(i + 1) + "; wanted: none"};
  return {};
}
}  // namespace engine

// --- topic ------------------------------------------------------------------------------------------------------------

topic::topic(std::shared_ptr<bus_core> b, topic_record* owned) noexcept : bus_{std::move(b)}, record_{owned} {}
topic::topic(const topic& other) noexcept : bus_{other.bus_}, record_{other.record_} {
  if (bus_) record_->retain();
}
topic::~topic() {
  if (bus_) record_->release();
}
bool topic::clear() const { return clear_everywhere(*bus_, name()).has_value(); }
std::size_t topic::retained() const {
  auto* keeper = record_->keeper();
  if (keeper == nullptr) return 0;
  const auto lock = keeper->lock();
  return keeper->events().size();
}
bool topic::wanted() const {
  const auto routing = bus_->routing();
  if ((routing & bus_core::closed_bit) != 0) return false;
  return (routing & bus_core::remote_bit) != 0 || engine::wanted(*record_);
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

result<topic> bus::topic(std::string_view name, const topic_options& options) const {
  if (options.history > max_history)
    return error{pubsub_errc::bad_option, "the topic \"" + std::string{name} + "\" is to keep " +
                                              std::to_string(options.history) + " events; wanted: 0 to " +
                                              std::to_string(max_history)};
  auto made = topic(name);
  if (!made || options.history == 0) return made;
  auto& keeper = made->inside().make_keeper();
  const auto lock = keeper.lock();
  if (keeper.set_depth(options.history)) return made;
  return error{pubsub_errc::bad_option, "the topic \"" + std::string{name} + "\" is to keep " +
                                            std::to_string(options.history) + " events, and keeps " +
                                            std::to_string(keeper.depth()) + " already; wanted: the same number"};
}

result<void> bus::clear(std::string_view topic) const {
  if (auto fine = check_topic(topic); !fine) return fine;
  return clear_everywhere(*core_, topic);
}

result<topic_record*> bus::look_up(std::string_view topic) const {
  if (auto fine = check_topic(topic); !fine) return fine.error();
  if (core_->closed()) return engine::closed_error(topic);
  return core_->find_wanted(topic);
}

result<topic_record*> bus::open(std::string_view topic) const {
  if (auto fine = check_topic(topic); !fine) return fine.error();
  if (core_->closed()) return engine::closed_error(topic);
  return core_->open(topic);
}

result<void> bus::publish(topic_record* owned, published* event, const address& except, bool keep) {
  const held_topic guard{hold_topic(owned)};
  if (!keep && (owned->bus().routing() & bus_core::dispatched_bit) != 0) [[unlikely]]
    if (const auto by = owned->bus().own_dispatcher(); by && (owned->keeper() == nullptr || !owned->keeper()->always()))
      return dispatch(owned->bus(), owned->name(), event, except, *by);
  if (!engine::publish(*owned, event, except, false, keep)) return engine::closed_error(owned->name());
  return {};
}

bool bus::goes_round(bool here_only) const noexcept {
  return (core_->routing() & (here_only ? bus_core::dispatched_bit : bus_core::remote_bit | bus_core::dispatched_bit)) != 0;
}
std::string bus::node_name() const { return core_->node_name(); }
std::size_t bus::topics() const { return core_->topics(); }
std::size_t bus::patterns() const { return core_->patterns(); }
std::uint64_t bus::mismatched() const noexcept { return core_->mismatched.load(std::memory_order_relaxed); }
std::uint64_t bus::missed() const noexcept { return core_->missed.load(std::memory_order_relaxed); }

}  // namespace herald
