#include <herald/engine/names.hpp>

#include <algorithm>

namespace herald::engine {

owners::~owners() {
  for (auto& s : shards_)
    while (!s.first.empty()) owner_ended(*s.first.begin()->first);
  for (auto& registry : kept_) {
    auto* self = this;
    registry->known.compare_exchange_strong(self, nullptr);
  }
}

void owners::list::add(owned_thing& t) {
  auto& first = shard_.first[&cell_];
  t.owner = &cell_;
  t.generation = cell_.generation.load(std::memory_order_relaxed);
  t.previous = nullptr;
  t.following = first;
  t.listed = true;
  if (first != nullptr) first->previous = &t;
  first = &t;
  cell_.named.store(true, std::memory_order_relaxed);
}

owned_thing* owners::list::first() const noexcept {
  const auto found = shard_.first.find(&cell_);
  return found != shard_.first.end() ? found->second : nullptr;
}

void owners::unlink(shard& s, owned_thing& t) noexcept {
  t.listed = false;
  if (t.following != nullptr) t.following->previous = t.previous;
  if (t.previous != nullptr) {
    t.previous->following = t.following;
  } else if (t.following != nullptr) {
    s.first.find(t.owner)->second = t.following;
  } else {
    s.first.erase(t.owner);
  }
}

bool owners::take_out(owned_thing& t) noexcept {
  auto& s = shard_of(*t.owner);
  const std::lock_guard lock{s.mutex};
  if (!t.listed) return false;
  unlink(s, t);
  return true;
}

void owners::owner_ended(cell& c) noexcept {
  owned_thing* things = nullptr;
  {
    auto& s = shard_of(c);
    const std::lock_guard lock{s.mutex};
    c.named.store(false, std::memory_order_relaxed);
    const auto found = s.first.find(&c);
    if (found == s.first.end()) return;
    things = found->second;
    s.first.erase(found);
    for (auto* t = things; t != nullptr; t = t->following) t->listed = false;
  }
  while (things != nullptr) {
    auto* next = things->following;
    things->owner_ended();
    things = next;
  }
}

void owners::keep(std::shared_ptr<listing> registry) {
  const std::lock_guard lock{kept_mutex_};
  registry->known.store(this, std::memory_order_release);
  if (std::find(kept_.begin(), kept_.end(), registry) == kept_.end()) kept_.push_back(std::move(registry));
}

}  // namespace herald::engine
