#include <herald/engine/aside.hpp>

#include <herald/engine/core.hpp>
#include <herald/engine/operation.hpp>

namespace herald::engine {

void tell_throws(topic_table& table, std::uint32_t id, const cell& c, const char* what, const exit_reason& why) {
  auto& s = table.at(id);
  if (s.more == nullptr || std::exchange(s.more->told, true)) return;
  report r;
  r.kind = report::dead_letter;
  r.path = core::path_of(c);
  r.process_type = c.ops->name;
  r.reason = why;
  r.text = "the " + std::string{what} + " of its subscription to \"" + std::string{s.at->topic->name()} +
           "\" threw, and the event was not delivered (told once a subscription)";
  c.home->system().tell(std::move(r));
}

void back_from_aside(frame& lost, std::uint32_t id, std::uint32_t generation) {
  auto& home = *lost.home;
  if (!home.system().ended())
    post_control(home, nullptr, [id, generation](cell*, frame& f) {
      auto* table = topic_table::if_any(*f.home);
      if (table != nullptr && table->current(id, generation) && table->at(id).more) table->at(id).more->stuck = false;
    });
  home.system().runs().returned(home);
}

}  // namespace herald::engine
