#include <herald/bus_options.hpp>

#include <algorithm>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>

#include <herald/adapter.hpp>
#include <herald/bus.hpp>
#include <herald/context.hpp>
#include <herald/engine/bus_core.hpp>
#include <herald/engine/fan_out.hpp>
#include <herald/engine/published_extra.hpp>
#include <herald/process.hpp>
#include <herald/topic.hpp>

namespace herald {

using namespace engine;

namespace {

/// Whoever calls is a stranger here, even on a runner of this application or another one.
class stranger {
 public:
  stranger() noexcept : frame_{std::exchange(current_frame, nullptr)} {}
  ~stranger() { current_frame = frame_; }
  stranger(const stranger&) = delete;
  stranger& operator=(const stranger&) = delete;

 private:
  frame* frame_;
};

class bus_inlet final : public inlet {
 public:
  bus_inlet(std::shared_ptr<bus_core> to, std::vector<dispatcher> dispatchers) noexcept
      : to_{std::move(to)}, dispatchers_{std::move(dispatchers)} {}
  result<void> deliver(std::string_view topic, const shared_event& event) override {
    if (auto fine = check_topic(topic); !fine) return fine;
    if (to_->closed()) return closed(topic);
    const stranger here;
    const auto& terms = event.terms();
    const auto by = std::find_if(dispatchers_.begin(), dispatchers_.end(), [&](const auto& d) { return d.name() == terms.dispatcher; });
    if (!terms.dispatcher.empty() && by == dispatchers_.end()) return unknown(topic, terms.dispatcher);
    auto* going = event.publishable();
    if (terms.trace) extra_of(*going).trace = terms.trace;
    if (!terms.dispatcher.empty()) return dispatch(*to_, topic, going, {}, *by, terms.retain);
    const held_topic record{hold_topic(terms.retain ? to_->open(topic) : to_->find_wanted(topic))};
    if (!record) {
      release(going);
      return {};
    }
    if (!engine::publish(*record, going, {}, true, terms.retain)) return closed(topic);
    return {};
  }
  result<void> clear(std::string_view topic) override {
    if (auto fine = check_topic(topic); !fine) return fine;
    const stranger here;
    to_->clear(topic);
    return {};
  }

 private:
  static error closed(std::string_view topic) {
    return {pubsub_errc::closed, "nothing was delivered to \"" + std::string{topic} + "\": the application is stopping or stopped"};
  }
  error unknown(std::string_view topic, const std::string& name) {
    error why{pubsub_errc::unknown_dispatcher, "an event of another node was not delivered to \"" + std::string{topic} +
                                                   "\": it wants the dispatcher \"" + name +
                                                   "\"; wanted: one of this name in bus_options.dispatchers"};
    const std::lock_guard lock{told_mutex_};
    if (told_.size() < max_told && told_.insert(name).second) {
      report r;
      r.kind = report::dead_letter;
      r.text = why.message() + " (told once a name)";
      to_->system().tell(std::move(r));
    }
    return why;
  }

  std::shared_ptr<bus_core> to_;
  const std::vector<dispatcher> dispatchers_;
  static constexpr std::size_t max_told = 64;
  std::mutex told_mutex_;
  std::set<std::string, std::less<>> told_;
};

/// The adapter at work; whatever ends it, it is stopped.
class link {
 public:
  link(std::shared_ptr<bus_core> on, const bus_options& options)
      : core_{std::move(on)}, way_{options.adapter}, own_{options.dispatcher}, inlet_{core_, all_of(options)} {}
  ~link() {
    if (started_) way_->stop();
    if (attached_) core_->detach();
  }
  link(const link&) = delete;
  link& operator=(const link&) = delete;

  result<void> start(std::string node_name) {
    if (auto free = core_->attach(way_, std::move(node_name)); !free) return free;
    attached_ = true;
    if (own_) core_->set_dispatcher(std::make_shared<const dispatcher>(*own_));
    if (!way_) return {};
    auto running = way_->start(inlet_);
    started_ = running.has_value();
    return running;
  }
  [[nodiscard]] adapter& way() const noexcept { return *way_; }

 private:
  static std::vector<dispatcher> all_of(const bus_options& options) {
    auto all = options.dispatchers;
    if (options.dispatcher) all.push_back(*options.dispatcher);
    return all;
  }
  std::shared_ptr<bus_core> core_;
  std::shared_ptr<adapter> way_;
  std::optional<dispatcher> own_;
  bus_inlet inlet_;
  bool attached_ = false;
  bool started_ = false;
};

struct bus_keeper : process<bus_keeper, interest_edge> {
  struct args {
    std::string name;
    bus_options options;
    friend bool operator==(const args&, const args&) = default;
  };
  bus_keeper(context& self, const args& a)
      : core_{(a.name.empty() ? bus{self} : bus{self, a.name}).inside()}, link_{core_, a.options} {
    auto node = a.options.node_name;
    if (node.empty()) node = a.options.adapter ? std::string{a.options.adapter->node_name()} : "local";
    if (auto running = link_.start(std::move(node)); !running) self.fail(running.error().message());
    if (!a.options.adapter) return;
    auto& c = self.cell();
    auto* all = new interest_watch{core_->interests(), nullptr, c};
    c.home->attach(c, *all);
    core_->interests().add(*core_, *all);
  }
  void on(const interest_edge& e) { link_.way().interest(e.topic, e.wanted); }

 private:
  std::shared_ptr<bus_core> core_;
  link link_;
};

}  // namespace

result<void> check_options(const bus_options& options) {
  const auto& name = options.node_name;
  if (name.size() > 255)
    return error{pubsub_errc::bad_option, "bus_options.node_name has " + std::to_string(name.size()) + " bytes; wanted: 1 to 255"};
  for (const char c : name)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return error{pubsub_errc::bad_option, "bus_options.node_name has a control character; wanted: none"};
  if (options.adapter && options.adapter->node_name().empty())
    return error{pubsub_errc::bad_option, "bus_options.adapter has no node name; wanted: one of 1 to 255 bytes"};
  if (options.adapter && !name.empty() && name != options.adapter->node_name())
    return error{pubsub_errc::bad_option, "bus_options.node_name is \"" + name + "\" and its adapter's is \"" +
                                              std::string{options.adapter->node_name()} + "\"; wanted: the same, or none"};
  std::set<std::string_view> names;
  for (const auto& d : options.dispatchers) {
    if (d.name().empty()) return error{pubsub_errc::bad_option, "one of bus_options.dispatchers has no name; wanted: a name for each"};
    if (!names.insert(d.name()).second)
      return error{pubsub_errc::bad_option, "two of bus_options.dispatchers are named \"" + d.name() + "\"; wanted: different names"};
  }
  const auto& own = options.dispatcher;
  if (own && own->name().empty() && options.adapter)
    return error{pubsub_errc::bad_option,
                 "bus_options.dispatcher has no name, by which other nodes would find theirs; wanted: a named one, or no adapter"};
  if (own && names.contains(own->name()))
    return error{pubsub_errc::bad_option, "bus_options.dispatcher is named \"" + own->name() +
                                              "\", and so is one of bus_options.dispatchers; wanted: it is there once"};
  return {};
}

child_spec pubsub(std::string name, bus_options options) {
  if (auto fine = check_bus_name(name); !fine) throw std::logic_error{fine.error().message()};
  if (auto fine = check_options(options); !fine) throw std::logic_error{fine.error().message()};
  auto id = name.empty() ? std::string{"pubsub"} : "pubsub:" + name;
  return child<bus_keeper>(std::move(id), {std::move(name), std::move(options)});
}

}  // namespace herald
