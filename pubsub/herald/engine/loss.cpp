// What subscriptions lost: counted, and told to them (gap.hpp).

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <utility>

#include <herald/child_spec.hpp>
#include <herald/engine/nodes.hpp>
#include <herald/engine/topic_table.hpp>

namespace herald::engine {

side_record& topic_table::side_of(std::uint32_t id) {
  static const auto none = std::make_shared<const subscription_options>();
  auto& more = at(id).more;
  if (!more) more = std::make_unique<side_record>(none);
  return *more;
}

void topic_table::count_loss(std::uint32_t id, loss why, std::uint64_t count) {
  for (auto* counts : {&side_of(id).lost, &at(id).at->lost}) {
    if (!*counts) *counts = std::make_unique<loss_counts>();
    (**counts)[static_cast<std::size_t>(why)] += count;
  }
}

void topic_table::add_missed(std::uint32_t id, std::uint64_t count, bool before) {
  auto& s = at(id);  // never both at once: what came before is told, and gone, with the first event that it sees
  const auto has = static_cast<std::uint64_t>(std::abs(std::int64_t{s.missed}));
  const auto room = static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max()) - has;
  // The sign stays in the record, where it is looked at.
  const auto here = static_cast<std::int32_t>(std::min(count, room));
  s.missed += before ? -here : here;
  if (count > room) side_of(id).missed_beyond += count - room;
}

void topic_table::owe(cell& c, std::uint32_t id, std::uint64_t count, gap_place where) {
  auto& s = at(id);
  const auto* told = names_gap(c);
  const bool late = tells_late(c, id);
  if (told == nullptr || late != (where == gap_place::front)) {
    add_missed(id, count);
    return set_look(id);
  }
  auto& more = side_of(id);
  if (more.open_gap != nullptr) {
    more.open_gap->message->missed += count;
    return;
  }
  auto* token = make_node<gap_token>(
      c, id, *told, std::make_unique<gap>(gap{std::string{s.at->topic->name()}, more.given->key, count}));
  token->generation_of_id = s.generation;
  token->life = s.state == hold::current ? c.incarnation : 0;
  more.open_gap = token;
  raise_limit(c);
  if (where == gap_place::front) {
    c.home->deliver_first(token);
  } else {
    c.home->deliver(token);
  }
}

std::uint64_t topic_table::take_missed(std::uint32_t id) noexcept {
  auto& s = at(id);
  if (s.missed <= 0) return 0;
  auto count = static_cast<std::uint64_t>(std::exchange(s.missed, 0));
  if (s.more) count += std::exchange(s.more->missed_beyond, 0);
  set_look(id);
  return count;
}

bool topic_table::tells_late(const cell& c, std::uint32_t id) noexcept {
  const auto& more = at(id).more;
  const auto kind = more ? more->given->when_slow.kind() : policy::kind_t::mailbox;
  return kind == policy::kind_t::drop_oldest ||
         (kind == policy::kind_t::mailbox && c.overflow == static_cast<std::uint8_t>(overflow_t::drop_oldest));
}

const subscription_options* topic_table::options_of(const delivery& now) noexcept {
  if (now.id == delivery::no_id) return now.pinned.get();
  if (now.table == nullptr) return nullptr;
  const auto& more = now.table->at(now.id).more;
  return more ? more->given.get() : nullptr;
}

std::string topic_table::key_of(const delivery& now) {
  const auto* options = options_of(now);
  return options != nullptr ? options->key : std::string{};
}

}  // namespace herald::engine
