#include <herald/loopback.hpp>

#include <mutex>
#include <utility>

namespace herald {

class loopback::end final : public herald::adapter {
 public:
  end(std::shared_ptr<loopback> net, std::string name) : net_{std::move(net)}, name_{std::move(name)} {}

  [[nodiscard]] std::string_view node_name() const noexcept override { return name_; }

  result<void> start(inlet& into) override {
    const std::unique_lock lock{net_->mutex_};
    const auto [at, added] = net_->nodes_.try_emplace(name_, node{&into, {}});
    if (!added) return error{pubsub_errc::bad_option, "a loopback has a node \"" + name_ + "\" already; wanted: another name"};
    return {};
  }

  void stop() noexcept override {
    const std::unique_lock lock{net_->mutex_};
    net_->nodes_.erase(name_);
  }

  result<void> broadcast(std::string_view topic, const shared_event& event) override {
    return others([&](inlet& into) { return into.deliver(topic, event); });
  }
  result<void> clear(std::string_view topic) override {
    return others([&](inlet& into) { return into.clear(topic); });
  }

  result<void> direct_broadcast(std::string_view to, std::string_view topic, const shared_event& event) override {
    const std::shared_lock lock{net_->mutex_};
    const auto found = net_->nodes_.find(to);
    if (found == net_->nodes_.end()) {
      std::string known;
      for (const auto& [name, other] : net_->nodes_) known += (known.empty() ? "\"" : ", \"") + name + "\"";
      return error{pubsub_errc::unknown_node, "there is no node \"" + std::string{to} + "\"; known: " + known};
    }
    return found->second.into->deliver(topic, event);
  }

  void interest(std::string_view topic, bool wanted) override {
    const std::unique_lock lock{net_->mutex_};
    const auto found = net_->nodes_.find(name_);
    if (found == net_->nodes_.end()) return;
    if (wanted) {
      found->second.wanted.emplace(topic);
    } else if (const auto at = found->second.wanted.find(topic); at != found->second.wanted.end()) {
      found->second.wanted.erase(at);
    }
  }

 private:
  template <class F>
  result<void> others(F&& f) {
    const std::shared_lock lock{net_->mutex_};
    // A node that is stopping gets nothing any more, which is no failure of this one.
    for (const auto& [name, other] : net_->nodes_)
      if (name != name_) static_cast<void>(f(*other.into));
    return {};
  }
  std::shared_ptr<loopback> net_;
  std::string name_;
};

std::shared_ptr<adapter> loopback::adapter(std::string node_name) {
  return std::make_shared<end>(shared_from_this(), std::move(node_name));
}

std::vector<std::string> loopback::nodes() const {
  const std::shared_lock lock{mutex_};
  std::vector<std::string> all;
  for (const auto& [name, one] : nodes_) all.push_back(name);
  return all;
}

std::vector<std::string> loopback::interests(std::string_view of) const {
  const std::shared_lock lock{mutex_};
  const auto found = nodes_.find(of);
  if (found == nodes_.end()) return {};
  return {found->second.wanted.begin(), found->second.wanted.end()};
}

}  // namespace herald
