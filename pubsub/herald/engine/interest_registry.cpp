#include <herald/engine/interest_registry.hpp>

#include <algorithm>

#include <herald/engine/bus_core.hpp>
#include <herald/engine/fan_out.hpp>
#include <herald/engine/nodes.hpp>
#include <herald/interest.hpp>
#include <herald/topic.hpp>

namespace herald::engine {

namespace {

template <class M>
void tell(const interest_watch& w, M message) {
  auto* node = make_node<any_node<M, envelope_kind::notice>>(w.who, std::move(message));
  node->incarnation = w.life;
  send(node);
}

}  // namespace

void interest_watch::wipe(host&) noexcept {
  registry->remove(*this);
  delete this;
}

void interest_registry::look(interest_watch& w) {
  const bool now = engine::wanted(*w.topic);
  if (now == w.wanted) return;
  w.wanted = now;
  if (now) {
    tell(w, herald::wanted{std::string{w.topic->name()}});
  } else {
    tell(w, herald::unwanted{std::string{w.topic->name()}});
  }
}

void interest_registry::add(bus_core& bus, interest_watch& w) {
  const std::lock_guard lock{mutex_};
  if (w.topic) {
    w.number = ++next_;
    ordered_.emplace(w.number, &w);
    of_topic_[w.topic.get()].push_back(&w);
  } else {
    of_all_.push_back(&w);
  }
  bus.set_watched();
  bus.meet();
  if (w.topic) return look(w);
  bus.each_joined([&](const topic_record& r) { tell(w, interest_edge{std::string{r.name()}, true}); });
}

void interest_registry::remove(interest_watch& w) noexcept {
  const std::lock_guard lock{mutex_};
  if (!w.topic) {
    of_all_.erase(std::find(of_all_.begin(), of_all_.end(), &w));
    return;
  }
  ordered_.erase(w.number);
  const auto at = of_topic_.find(w.topic.get());
  at->second.erase(std::find(at->second.begin(), at->second.end(), &w));
  if (at->second.empty()) of_topic_.erase(at);
}

interest_watch* interest_registry::find(const cell& c, const topic_record& topic) noexcept {
  const std::lock_guard lock{mutex_};
  const auto at = of_topic_.find(&topic);
  if (at == of_topic_.end()) return nullptr;
  for (auto* w : at->second)
    if (w->who.cell == &c) return w;
  return nullptr;
}

void interest_registry::edge(topic_record& topic, bool wanted) {
  const std::lock_guard lock{mutex_};
  for (const auto* w : of_all_) tell(*w, interest_edge{std::string{topic.name()}, wanted});
  if (!topic.routed()) {
    if (const auto at = of_topic_.find(&topic); at != of_topic_.end())
      for (auto* w : at->second) look(*w);
    return;
  }
  for (const auto& [number, w] : ordered_)
    if (matches(topic.name(), w->topic->name())) look(*w);
}

}  // namespace herald::engine
