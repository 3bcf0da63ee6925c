#pragma once
// The functions of herald::registry; included by registry.hpp.

#include <herald/registry.hpp>

namespace herald {

namespace detail {

template <class Value, class Wanted>
bool value_matches(const Value& value, const Wanted& wanted) {
  if constexpr (std::is_invocable_r_v<bool, const Wanted&, const Value&>) {
    return wanted(value);
  } else {
    return value == wanted;
  }
}

template <class Registry, class Key, class Value, class Args, class F>
struct registry_claim final : engine::name_claim {
  registry_claim(Registry r, F f, Value v) : where{std::move(r)}, key_of{std::move(f)}, value{std::move(v)} {
    if constexpr (!std::is_void_v<Args>) args = &engine::tag_of<Args>;
  }
  void claim(context& self, const void* given) const override {
    const auto r = where.register_key(self, key(given), value);
    if (!r) throw engine::start_refused{r.error().message()};
  }
  Key key(const void* given) const {
    if constexpr (std::is_void_v<Args>) {
      return key_of();
    } else {
      return key_of(*static_cast<const Args*>(given));
    }
  }
  Registry where;
  F key_of;
  Value value;
};

}  // namespace detail

template <class Key, class Value, class Hash>
registration registry<Key, Value, Hash>::register_key(context& self, Key key, Value value) const {
  auto& owners = engine::owners_of(self.cell());
  table_->live_in(owners);
  auto fresh = std::make_unique<row>(std::move(value));
  fresh->who = self.life();
  fresh->type = self.cell().ops;
  incarnation_ref holder;
  const bool mine = owners.act(self.cell(), self.incarnation(), [&](engine::owners::list& owned) {
    holder = table_->insert(*fresh, std::move(key));
    if (!holder) owned.add(*fresh.release());
  });
  if (!mine)
    return error{errc::closed, "nothing was registered in " + name() + ": the caller is no handler of a living incarnation"};
  // A key that was refused was not taken out of the argument.
  if (holder)
    return {error{errc::already_registered, "the key " + engine::key_text(key) + " of the registry " + name() +
                                                " is taken by " + engine::path_of(holder.who().where())},
            holder};
  return {};
}

template <class Key, class Value, class Hash>
template <class Predicate>
std::size_t registry<Key, Value, Hash>::unregister(context& self, view key, Predicate which) const {
  // The caller's entries under this key: by the caller's list or by the key's, whichever ends first. Only the owner
  // changes or removes its entries, so they are still the same after the predicate, which is user code and runs between
  // the locks on copies: should the caller be fenced off meanwhile, its entries are gone and the second act is refused.
  std::vector<std::pair<row*, Value>> own;
  auto& owners = engine::owners_of(self.cell());
  const auto find_own = [&](engine::owners::list& owned) {
    auto& s = table_->shard_of(key);
    const std::lock_guard lock{s.mutex};
    const auto at = s.lines.find(key);
    if (at == s.lines.end()) return;
    auto* by_owner = owned.first();
    auto* by_key = at->second.first;
    for (; by_owner != nullptr && by_key != nullptr; by_owner = by_owner->following, by_key = by_key->later) {
    }
    if (by_key == nullptr) {
      for (auto* r = at->second.first; r != nullptr; r = r->later)
        if (r->owner == &self.cell()) own.emplace_back(r, r->value);
    } else {
      for (auto* t = owned.first(); t != nullptr; t = t->following)
        if (auto* r = dynamic_cast<row*>(t); r != nullptr && r->home == table_.get() && r->key == &at->first)
          own.emplace_back(r, r->value);
    }
  };
  if (!owners.act(self.cell(), self.incarnation(), find_own)) return 0;
  std::erase_if(own, [&](const auto& r) { return !which(std::as_const(r.second)); });
  std::vector<std::unique_ptr<row>> gone;  // end after the locks
  static_cast<void>(owners.act(self.cell(), self.incarnation(), [&](engine::owners::list& owned) {
    gone.reserve(own.size());
    for (auto& [r, value] : own) {
      owned.take_out(*r);
      table_->remove(*r);
      gone.emplace_back(r);
    }
  }));
  return gone.size();
}

template <class Key, class Value, class Hash>
template <class F>
result<Value> registry<Key, Value, Hash>::update(context& self, view key, F change) const {
  if (!table_->unique())
    return error{errc::not_supported, "an entry of the registry " + name() + " cannot be updated: its keys are not unique"};
  row* own = nullptr;
  std::optional<Value> old;
  auto& owners = engine::owners_of(self.cell());
  auto& s = table_->shard_of(key);
  const auto find_own = [&](engine::owners::list&) {
    const std::lock_guard lock{s.mutex};
    const auto at = s.lines.find(key);
    if (at == s.lines.end() || at->second.first->owner != &self.cell()) return;
    own = at->second.first;
    old = own->value;
  };
  if (!owners.act(self.cell(), self.incarnation(), find_own) || own == nullptr)
    return error{errc::not_found, "the caller does not hold the key " + engine::key_text(Key(key)) + " of the registry " + name()};
  Value fresh = change(std::as_const(*old));
  old = fresh;
  const bool done = owners.act(self.cell(), self.incarnation(), [&](engine::owners::list&) {
    const std::lock_guard lock{s.mutex};
    std::swap(own->value, *old);  // the old one ends after the lock
  });
  if (!done) return error{errc::closed, "the entry was not updated: the caller's incarnation has ended"};
  return fresh;
}

template <class Key, class Value, class Hash>
template <class P>
  requires(engine::accepts<P, registered<Key, Value>> && engine::accepts<P, unregistered<Key, Value>>)
bool registry<Key, Value, Hash>::listen(context& self) const {
  auto& owners = engine::owners_of(self.cell());
  table_->live_in(owners);
  auto fresh = std::make_unique<typename table::listener>();
  fresh->who = self.life();
  return owners.act(self.cell(), self.incarnation(), [&](engine::owners::list& owned) {
    table_->add(*fresh);
    owned.add(*fresh.release());
  });
}

template <class Key, class Value, class Hash>
std::pair<incarnation_ref, const engine::process_ops*> registry<Key, Value, Hash>::first(view key) const {
  auto& s = table_->shard_of(key);
  const std::lock_guard lock{s.mutex};
  const auto at = s.lines.find(key);
  if (at == s.lines.end()) return {};
  return {at->second.first->who, at->second.first->type};
}

template <class Key, class Value, class Hash>
template <class F>
void registry<Key, Value, Hash>::each(view key, F f) const {
  auto& s = table_->shard_of(key);
  const std::lock_guard lock{s.mutex};
  const auto at = s.lines.find(key);
  if (at == s.lines.end()) return;
  for (auto* r = at->second.first; r != nullptr; r = r->later) f(*r, at->second.count);
}

template <class Key, class Value, class Hash>
auto registry<Key, Value, Hash>::look_up(view key) const -> std::vector<entry> {
  std::vector<entry> all;
  each(key, [&](const row& r, std::size_t count) {
    if (all.empty()) all.reserve(count);
    all.push_back({r.who, r.value});
  });
  return all;
}

template <class Key, class Value, class Hash>
template <class Wanted>
auto registry<Key, Value, Hash>::match(view key, const Wanted& wanted) const -> std::vector<entry> {
  auto all = look_up(key);
  std::erase_if(all, [&](const entry& e) { return !detail::value_matches(e.value, wanted); });
  return all;
}

template <class Key, class Value, class Hash>
template <class Predicate>
auto registry<Key, Value, Hash>::select(Predicate wanted) const -> std::vector<full_entry> {
  std::vector<full_entry> all;
  for (const auto& s : table_->shards()) {
    std::vector<full_entry> part;
    {
      const std::lock_guard lock{s.mutex};
      part.reserve(s.entries);
      for (const auto& [key, line] : s.lines)
        for (auto* r = line.first; r != nullptr; r = r->later) part.push_back({key, r->who, r->value});
    }
    for (auto& e : part)
      if (wanted(std::as_const(e.key), std::as_const(e.who), std::as_const(e.value))) all.push_back(std::move(e));
  }
  return all;
}

template <class Key, class Value, class Hash>
std::size_t registry<Key, Value, Hash>::count() const {
  std::size_t sum = 0;
  for (const auto& s : table_->shards()) {
    const std::lock_guard lock{s.mutex};
    sum += s.entries;
  }
  return sum;
}

template <class Key, class Value, class Hash>
std::size_t registry<Key, Value, Hash>::count(view key) const {
  auto& s = table_->shard_of(key);
  const std::lock_guard lock{s.mutex};
  const auto at = s.lines.find(key);
  return at != s.lines.end() ? at->second.count : 0;
}

template <class Key, class Value, class Hash>
std::vector<Key> registry<Key, Value, Hash>::keys(const any_ref& who) const {
  std::vector<Key> all;
  if (!who) return all;
  engine::owners_of(*who.where().cell).each(who.where(), [&](const engine::owned_thing& t) {
    if (const auto* r = dynamic_cast<const row*>(&t); r != nullptr && r->home == table_.get()) all.push_back(*r->key);
  });
  return all;
}

template <class Key, class Value, class Hash>
std::vector<Value> registry<Key, Value, Hash>::values(view key, const any_ref& who) const {
  std::vector<Value> all;
  each(key, [&](const row& r, std::size_t) {
    if (r.who.who() == who) all.push_back(r.value);
  });
  return all;
}

template <class Key, class Value, class Hash>
template <class F>
std::size_t registry<Key, Value, Hash>::dispatch(view key, F f) const {
  const auto all = look_up(key);
  for (const auto& e : all) f(e.who.who(), e.value);
  return all.size();
}

template <class Key, class Value, class Hash>
via_name registry<Key, Value, Hash>::name(Key key, Value value) const {
  auto key_of = [key = std::move(key)] { return key; };
  using claim = detail::registry_claim<registry, Key, Value, void, decltype(key_of)>;
  return via_name{std::make_shared<const claim>(*this, std::move(key_of), std::move(value))};
}

template <class Key, class Value, class Hash>
template <class P, class F>
via_name registry<Key, Value, Hash>::name_from(F key_of) const {
  using claim = detail::registry_claim<registry, Key, Value, typename P::args, F>;
  return via_name{std::make_shared<const claim>(*this, std::move(key_of), Value{})};
}

}  // namespace herald
