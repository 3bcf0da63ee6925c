#include <herald/interest.hpp>

#include <stdexcept>

#include <herald/context.hpp>
#include <herald/engine/at_home.hpp>
#include <herald/engine/bus_core.hpp>
#include <herald/subscription.hpp>
#include <herald/topic.hpp>

namespace herald {

using namespace engine;

result<void> try_watch_interest(context& self, const bus& where, std::string_view topic) {
  if (auto fine = check_topic(topic); !fine) return fine.error();
  auto& c = self.cell();
  if (c.ops->find(tag_of<herald::wanted>) == nullptr || c.ops->find(tag_of<herald::unwanted>) == nullptr)
    return error{pubsub_errc::not_accepted, "the process " + self.path() + " watches \"" + std::string{topic} +
                                                "\" and does not accept the notices; wanted: herald::wanted and "
                                                "herald::unwanted in process<...>"};
  const runtime_entry entry;
  if (entry.fenced() || where.inside()->closed())
    return error{pubsub_errc::closed, "\"" + std::string{topic} + "\" is not watched: the application is stopping or stopped"};
  const bool done = at_home(entry, c, self.incarnation(), [core = where.inside(), topic = std::string{topic}](cell& home) {
    auto held = hold_topic(core->open(topic));
    auto& registry = core->interests();
    if (registry.find(home, *held) != nullptr) return;
    auto* w = new interest_watch{registry, std::move(held), home};
    home.home->attach(home, *w);
    registry.add(*core, *w);
  });
  if (!done)
    return error{pubsub_errc::wrong_place, "\"" + std::string{topic} + "\" was to be watched with the context of a process outside of its handlers"};
  return {};
}

bool watch_interest(context& self, std::string_view topic) { return watch_interest(self, bus{self}, topic); }
bool watch_interest(context& self, const bus& where, std::string_view topic) {
  return detail::or_throw(try_watch_interest(self, where, topic));
}

void unwatch_interest(context& self, std::string_view topic) { unwatch_interest(self, bus{self}, topic); }
void unwatch_interest(context& self, const bus& where, std::string_view topic) {
  const runtime_entry entry;
  if (entry.fenced()) return;
  static_cast<void>(at_home(entry, self.cell(), self.incarnation(), [core = where.inside(), topic = std::string{topic}](cell& home) {
    const auto held = hold_topic(core->find(topic));
    if (!held) return;
    auto* w = core->interests().find(home, *held);
    if (w == nullptr) return;
    home.home->detach(*w);
    w->wipe(*home.home);
  }));
}

}  // namespace herald
