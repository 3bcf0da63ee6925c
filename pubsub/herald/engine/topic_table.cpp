#include <herald/engine/topic_table.hpp>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

#include <herald/engine/backlog.hpp>
#include <herald/engine/bus_core.hpp>
#include <herald/engine/fan_out.hpp>
#include <herald/engine/group_members.hpp>
#include <herald/engine/retention.hpp>

namespace herald::engine {

namespace {
const std::string no_key;
const std::string& key_in(const subscription& s) noexcept { return s.more ? s.more->given->key : no_key; }
/// What waits under the one may be compared with what comes under the other.
bool same_key(const policy& one, const policy& other) noexcept {
  return one.key() == other.key() || (one.key() && other.key() && one.key()->same_function(*other.key()));
}
}  // namespace

topic_table& topic_table::of(host& h) {
  if (auto* found = if_any(h)) return *found;
  auto made = std::make_unique<topic_table>();
  auto& table = *made;
  h.set_slot(slot_index, std::move(made));
  return table;
}

topic_table::~topic_table() {
  // Subscribers of an application that ended in disorder (zombies): their topics' references are let go all the same.
  for (std::uint32_t id = 0; id < used_; ++id) {
    auto& s = at(id);
    if (s.state != hold::free && --s.at->live == 0) s.at->topic->release();
  }
}

// --- a process's subscriptions ----------------------------------------------------------------------------------------

std::uint32_t topic_table::chain_of(const cell& c) noexcept {
  return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(c.topics) >> 1);
}
void topic_table::set_chain(cell& c, std::uint32_t first) noexcept {
  c.topics = first == 0 ? nullptr : reinterpret_cast<void*>(std::uintptr_t{first} << 1 | 1);
}
topic_table::many* topic_table::many_of(const cell& c) noexcept {
  const auto word = reinterpret_cast<std::uintptr_t>(c.topics);
  return word != 0 && (word & 1) == 0 ? static_cast<many*>(c.topics) : nullptr;
}

std::uint32_t topic_table::subscriptions(const cell& c) const noexcept {
  if (const auto* m = many_of(c)) return m->index.count();
  std::uint32_t count = 0;
  for (auto next = chain_of(c); next != 0; next = at(next - 1).next) ++count;
  return count;
}

template <class F>
bool topic_table::any_at(cell& c, const seat& s, F&& f) {
  if (auto* m = many_of(c)) return m->index.any(s, seat_of(), f);
  for (auto next = chain_of(c); next != 0;) {
    const auto id = next - 1;
    next = at(id).next;
    if (at(id).at == &s && f(id)) return true;
  }
  return false;
}

template <class F>
void topic_table::each(cell& c, F&& f) {
  if (auto* m = many_of(c)) {
    for (const auto id : m->index.all()) f(id);
    return;
  }
  for (auto next = chain_of(c); next != 0;) {
    const auto id = next - 1;
    next = at(id).next;
    f(id);
  }
}

void topic_table::link(cell& c, std::uint32_t id) {
  if (auto* m = many_of(c)) return m->index.add(id, *at(id).at, seat_of());
  std::uint32_t count = 0;
  for (auto next = chain_of(c); next != 0; next = at(next - 1).next) ++count;
  if (count < chain_limit) {
    at(id).next = chain_of(c);
    set_chain(c, id + 1);
    return;
  }
  auto m = std::make_unique<many>();
  for (auto next = chain_of(c); next != 0; next = at(next - 1).next)
    m->index.add(next - 1, *at(next - 1).at, seat_of());
  m->index.add(id, *at(id).at, seat_of());
  c.topics = m.release();
}

void topic_table::unlink(cell& c, std::uint32_t id) noexcept {
  if (auto* m = many_of(c)) {
    m->index.remove(id, *at(id).at, seat_of());
    if (m->index.count() == 0) {
      delete m;
      c.topics = nullptr;
    }
    return;
  }
  auto next = chain_of(c);
  if (next == id + 1) return set_chain(c, at(id).next);
  while (at(next - 1).next != id + 1) next = at(next - 1).next;
  at(next - 1).next = at(id).next;
}

// --- records and lists ------------------------------------------------------------------------------------------------

std::uint32_t topic_table::take_record() {
  if (free_ != 0) {
    const auto id = free_ - 1;
    free_ = at(id).next;
    at(id).next = 0;
    return id;
  }
  if (used_ == chunks_.size() * chunk_size) chunks_.push_back(std::make_unique<subscription[]>(chunk_size));
  return used_++;
}

void topic_table::give_record(std::uint32_t id) noexcept {
  auto& s = at(id);
  pin(id);
  s.more.reset();
  s.at = nullptr;
  s.state = hold::free;
  s.next = free_;
  free_ = id + 1;
}

std::uint32_t topic_table::number_of(const handler_entry& handler) {
  const auto [found, added] = handler_numbers_.try_emplace(&handler, static_cast<std::uint32_t>(handlers_.size()));
  if (added) handlers_.push_back(&handler);
  return found->second;
}

void topic_table::append(seat& s, subscriber entry) {
  if (s.size == s.capacity) {
    const auto wanted = s.capacity < 4 ? 4 : s.capacity + s.capacity / 2;
    void* memory = std::realloc(s.entries == &s.first ? nullptr : s.entries, wanted * sizeof(subscriber));
    if (memory == nullptr) throw std::bad_alloc{};
    if (s.entries == &s.first) *static_cast<subscriber*>(memory) = s.first;
    s.entries = static_cast<subscriber*>(memory);
    s.capacity = wanted;
  }
  s.entries[s.size++] = entry;
}

void topic_table::shrink(seat& s) noexcept {
  if (s.size == 0) {
    if (s.entries != &s.first) std::free(s.entries);
    s.entries = &s.first;
    s.capacity = 1;
  } else if (s.capacity > 64 && s.size < s.capacity / 4) {
    const auto wanted = s.capacity / 2;
    if (void* memory = std::realloc(s.entries, wanted * sizeof(subscriber))) {
      s.entries = static_cast<subscriber*>(memory);
      s.capacity = wanted;
    }
  }
}

void topic_table::close_hole(topic_table& t, seat& s, std::uint32_t place) noexcept {
  const auto last = --s.size;
  if (place == last) return;
  s.entries[place] = s.entries[last];
  t.at(s.entries[place].id).place = place;
}

void topic_table::end_walk() noexcept {
  auto& s = *std::exchange(walked_, nullptr);
  const auto& event = *std::exchange(walking_, nullptr)->event;
  if (event.position % 2 == 0 && event.position != 0 && event.topic == s.topic) s.served = event.position;
  if (holes_.empty()) return;
  // From the last one on: what moves into a hole is never a hole itself.
  std::sort(holes_.begin(), holes_.end(), std::greater<>{});
  for (const auto place : holes_) close_hole(*this, s, place);
  holes_.clear();
  shrink(s);
}

// --- subscribing ------------------------------------------------------------------------------------------------------

void topic_table::set_extra(std::uint32_t id, extra_ptr more) {
  auto& s = at(id);
  if (s.more) {
    // What waits under the old options, and its gap, stay.
    pin(id);
    if (s.more->waiting && !same_key(s.more->given->when_slow, more ? more->when_slow : policy{})) s.more->waiting->values.seal();
    const bool busy = s.more->open_gap != nullptr || s.more->missed_beyond != 0 || s.more->had || s.more->stuck || s.more->lost || (s.more->waiting && !s.more->waiting->empty());
    if (!more && busy) more = std::make_shared<const subscription_options>();
    if (more) {
      s.more->given = std::move(more);
    } else {
      s.more.reset();
    }
  } else if (more) {
    s.more = std::make_unique<side_record>(std::move(more));
  }
  set_look(id);
}

void topic_table::set_look(std::uint32_t id) noexcept {
  auto& s = at(id);
  const bool look = s.missed > 0 || (s.more && (s.more->given->filter || s.more->given->once || s.more->had));
  auto& handler = s.at->entries[s.place].handler;
  handler = look ? handler | look_first : handler & ~look_first;
}

void topic_table::pin(std::uint32_t id) noexcept {
  auto* f = current_frame;
  if (f == nullptr || f->lost || f->delivery == nullptr) return;
  auto& now = *static_cast<delivery*>(const_cast<void*>(f->delivery));
  if (now.table != this || now.id != id) return;
  const auto& more = at(id).more;
  now.pinned = more ? more->given : nullptr;
  now.id = delivery::no_id;
}

void topic_table::taken(frame& lost) noexcept {
  // What the runner has in hand it may not have looked at yet. It is not to be dropped under its hands.
  if (auto* e = const_cast<envelope*>(lost.in_hand); !lost.aside && e != nullptr && e->to != nullptr && e->ops->run == run_entry)
    leave(*static_cast<event_entry*>(e), *this);
  if (lost.delivery == nullptr) return;
  auto& now = *static_cast<delivery*>(const_cast<void*>(lost.delivery));
  if (now.table != this || now.id == delivery::no_id) return;
  auto& s = at(now.id);
  if (s.more) now.pinned = s.more->given;
  if (lost.aside && s.more) {
    s.more->stuck = true;
    if (now.keying) {
      count_loss(now.id, loss::conflated, 1);
      add_missed(now.id, 1);
      set_look(now.id);
    } else {
      ++s.apart;
    }
  }
  now.id = delivery::no_id;
}

std::uint32_t topic_table::add(cell& c, seat& s, std::uint32_t handler, extra_ptr more) {
  const auto id = take_record();
  auto& made = at(id);
  made.at = &s;
  made.missed = 0;
  made.place = s.size;
  made.apart = s.topic->group() != nullptr ? 0 : s.events;
  try {
    append(s, {&c, handler, id});
    set_extra(id, std::move(more));
    // What the seat has not told yet was lost before.
    if (const auto before = s.missed.load(std::memory_order_relaxed); before != 0) add_missed(id, before, true);
    link(c, id);
  } catch (...) {
    if (s.size > made.place) --s.size;
    give_record(id);
    throw;
  }
  made.generation = (made.generation + 1) & 0xffffff;
  made.state = c.status == cell_status::starting ? hold::fresh : hold::current;
  ++s.live;
  if (auto* group = s.topic->group())
    group->join({&c, &s, id, made.generation}, made.more->given->group, *handlers_[handler]->type, true);
  return id;
}

void topic_table::set_up(cell& c, std::uint32_t id, bool up) noexcept {
  const auto& s = at(id);
  if (auto* group = s.at->topic->group()) group->set_up({&c, s.at, id, s.generation}, up);
}

declaration topic_table::subscribe(cell& c, topic_record& topic, const handler_entry& handler, extra_ptr more) {
  const auto number = number_of(handler);
  auto* s = bus_core::seat_of(topic, *c.home);
  const bool may_hold = (more && !more->key.empty()) || (c.status == cell_status::starting && c.incarnation > 1);
  if (s != nullptr && s->live != 0 && may_hold) {
    const std::string& key = more ? more->key : no_key;
    constexpr std::uint32_t nobody = ~std::uint32_t{0};
    auto same = nobody;
    auto other = nobody;
    auto in_the_way = nobody;
    any_at(c, *s, [&](std::uint32_t id) {
      const auto& mine = at(id);
      const bool old = mine.state == hold::kept;
      const bool named = !key.empty() && key_in(mine) == key;
      // What waits is of its subscription's type: one for another type is another subscription, whatever its key.
      if (handler_of(id).type != handler.type) {
        if (named && !old) in_the_way = id;
        return false;
      }
      // A key delivers once: declared again it is the same subscription. Without one each declaration is one more.
      if (named || (old && key_in(mine) == key)) {
        same = id;
      } else if (old) {
        other = id;
      }
      return same != nobody && key.empty();
    });
    if (in_the_way != nobody) return {in_the_way, declared::other};
    if (const auto id = same != nobody ? same : other; id != nobody) {
      auto& mine = at(id);
      s->entries[mine.place].handler = number;
      set_extra(id, std::move(more));
      if (mine.state != hold::kept) return {id, declared::known};
      mine.state = hold::retaken;
      return {id, declared::again};
    }
  }
  if (s != nullptr && s->live != 0) return {add(c, *s, number, std::move(more)), declared::fresh};
  auto& seat_taken = topic.bus().join(topic, *c.home, false);
  try {
    return {add(c, seat_taken, number, std::move(more)), declared::fresh};
  } catch (...) {
    topic.bus().leave(seat_taken);
    throw;
  }
}

void topic_table::remove(cell& c, std::uint32_t id) noexcept {
  auto& mine = at(id);
  auto& s = *mine.at;
  if (auto* group = s.topic->group()) group->leave({&c, &s, id, mine.generation});
  unlink(c, id);
  if (&s == walked_) {
    s.entries[mine.place] = {};
    holes_.push_back(mine.place);
  } else {
    close_hole(*this, s, mine.place);
    shrink(s);
  }
  give_record(id);
  if (--s.live == 0) s.topic->bus().leave(s);
}

void topic_table::unsubscribe(cell& c, const topic_record& topic, const std::string* key,
                              std::vector<ended_subscription>* ended) noexcept {
  auto* s = bus_core::seat_of(topic, *c.home);
  if (s == nullptr) return;
  // One at a time: the index moves when something is removed from it.
  const auto one = [&] {
    std::uint32_t found = 0;
    const bool any = any_at(c, *s, [&](std::uint32_t id) {
      found = id;
      return key == nullptr || key_in(at(id)) == *key;
    });
    if (any && ended != nullptr) ended->push_back({found, at(found).generation});
    if (any) remove(c, found);
    return any;
  };
  while (one()) {
  }
}

// --- lives ------------------------------------------------------------------------------------------------------------

void topic_table::incarnation_ended(cell& c) noexcept {
  if (c.topics == nullptr) return;
  each(c, [&](std::uint32_t id) {
    at(id).state = hold::kept;
    set_up(c, id, false);
  });
}

void topic_table::incarnation_started(cell& c) noexcept {
  if (c.topics == nullptr) return;
  each(c, [&](std::uint32_t id) {
    auto& s = at(id);
    if (s.state == hold::kept) return remove(c, id);
    s.state = hold::current;
    set_up(c, id, true);
  });
}

void topic_table::incarnation_failed(cell& c) noexcept {
  if (c.topics == nullptr) return;
  each(c, [&](std::uint32_t id) {
    auto& s = at(id);
    if (s.state == hold::fresh) return remove(c, id);
    s.state = hold::kept;
  });
}

void topic_table::cell_gone(cell& c) noexcept {
  dropped_.erase(&c);
  if (c.topics == nullptr) return;
  each(c, [&](std::uint32_t id) { remove(c, id); });
}

}  // namespace herald::engine
