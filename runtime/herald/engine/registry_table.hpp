#pragma once
// The table behind a registry: entries by key in 64 shards, each under a short lock; entries of one key in a list, in the
// order of registration. Keys are stored once, entries never move.
//
// Thread safety: safe for all. Locks: an owner's list first (names.hpp), then one shard, then the listeners. Copies of keys
// and values are made under a shard's lock; predicates and functions of the user never run under one.

#include <atomic>
#include <concepts>
#include <functional>
#include <string>
#include <string_view>

#include <herald/context.hpp>
#include <herald/engine/names.hpp>
#include <herald/registry_lock.hpp>

namespace herald {

/// Of a registry that stores keys only.
struct no_value {
  friend bool operator==(const no_value&, const no_value&) = default;
};

/// What a registry's listeners are told.
template <class Key, class Value = no_value>
struct registered {
  std::string registry;  ///< its name
  Key key;
  incarnation_ref who;
  Value value;
};
template <class Key, class Value = no_value>
struct unregistered {
  std::string registry;
  Key key;
  incarnation_ref who;
  Value value;
};

}  // namespace herald

namespace herald::engine {

[[nodiscard]] owners& owners_of(const cell& c) noexcept;
[[nodiscard]] std::string path_of(address who);
/// Through the receiver's inbox, also from its own host: nothing is delivered, and no user code runs, here and now.
void post_to_inbox(envelope* e);

template <class Key>
std::string key_text(const Key& key) {
  if constexpr (std::convertible_to<const Key&, std::string_view>) {
    return "\"" + std::string{std::string_view{key}} + "\"";
  } else if constexpr (requires { std::to_string(key); }) {
    return std::to_string(key);
  } else {
    return "of type " + std::string{type_name<Key>()};
  }
}

template <class Key, class Value, class Hash>
class registry_table final : public listing, public std::enable_shared_from_this<registry_table<Key, Value, Hash>> {
 public:
  struct entry final : owned_thing {
    registry_table* home = nullptr;
    const Key* key = nullptr;
    incarnation_ref who;
    const process_ops* type = nullptr;
    Value value;
    entry* earlier = nullptr;
    entry* later = nullptr;

    explicit entry(Value v) : value{std::move(v)} {}
    void owner_ended() noexcept override {
      home->remove(*this);
      delete this;
    }
  };
  struct listener final : owned_thing {
    registry_table* home = nullptr;
    incarnation_ref who;
    void owner_ended() noexcept override {
      home->forget(*this);
      delete this;
    }
  };
  struct line {
    entry* first = nullptr;
    entry* last = nullptr;
    std::size_t count = 0;
  };
  struct alignas(64) shard {
    mutable std::mutex mutex;
    std::unordered_map<Key, line, Hash, std::equal_to<>> lines;
    std::size_t entries = 0;
  };
  static constexpr std::size_t shard_count = 64;

  registry_table(std::string name, bool unique) : name_{std::move(name)}, unique_{unique} {}

  const std::shared_ptr<lock_table<Key, Hash>> locks = std::make_shared<lock_table<Key, Hash>>();

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] bool unique() const noexcept { return unique_; }
  template <class K>
  [[nodiscard]] shard& shard_of(const K& key) const noexcept {
    // The map takes the hash modulo a prime, so the upper bits of a product are as good as others, and independent.
    return shards_[(Hash{}(key) * 0x9E3779B97F4A7C15u) >> 58];
  }
  [[nodiscard]] const std::array<shard, shard_count>& shards() const noexcept { return shards_; }

  /// Adds an entry to its key's line; the holder, and no entry, when a unique key is taken. Under the owner's lock.
  [[nodiscard]] incarnation_ref insert(entry& e, Key&& key) {
    auto& s = shard_of(key);
    const std::lock_guard lock{s.mutex};
    const auto [at, fresh] = s.lines.try_emplace(std::move(key));
    auto& l = at->second;
    if (unique_ && !fresh) return l.first->who;
    e.home = this;
    e.key = &at->first;
    e.earlier = l.last;
    (l.last != nullptr ? l.last->later : l.first) = &e;
    l.last = &e;
    ++l.count;
    ++s.entries;
    tell<registered<Key, Value>>(e);
    return {};
  }
  /// Takes an entry out of its line; it is the caller's then.
  void remove(entry& e) noexcept {
    auto& s = shard_of(*e.key);
    // The key goes after the lock: its end may be long.
    typename decltype(s.lines)::node_type gone;
    const std::lock_guard lock{s.mutex};
    tell<unregistered<Key, Value>>(e);
    const auto at = s.lines.find(*e.key);
    auto& l = at->second;
    (e.earlier != nullptr ? e.earlier->later : l.first) = e.later;
    (e.later != nullptr ? e.later->earlier : l.last) = e.earlier;
    --s.entries;
    if (--l.count == 0) gone = s.lines.extract(at);
  }

  void add(listener& l) {
    l.home = this;
    const std::lock_guard lock{listeners_mutex_};
    listeners_.push_back(&l);
    listened_.store(true, std::memory_order_release);
  }
  void forget(listener& l) noexcept {
    const std::lock_guard lock{listeners_mutex_};
    std::erase(listeners_, &l);
    listened_.store(!listeners_.empty(), std::memory_order_release);
  }
  /// Everything listed for this application's processes may point here until the application has ended.
  void live_in(owners& o) {
    if (known.load(std::memory_order_acquire) != &o) o.keep(this->shared_from_this());
  }

 private:
  /// In the order of what happens to one key, hence under its lock. Through the inbox, which runs no user code.
  template <class Event>
  void tell(const entry& e) noexcept {
    if (!listened_.load(std::memory_order_acquire)) return;
    const std::lock_guard lock{listeners_mutex_};
    for (const auto* l : listeners_) {
      try {
        auto* node = make_node<any_node<Event>>(l->who.who().where(), Event{name_, *e.key, e.who, e.value});
        node->incarnation = l->who.incarnation();
        post_to_inbox(node);
      } catch (...) {
        // Out of memory, or a value that cannot be copied: this listener misses one event.
      }
    }
  }

  const std::string name_;
  const bool unique_;
  mutable std::array<shard, shard_count> shards_;
  std::atomic<bool> listened_{false};
  std::mutex listeners_mutex_;
  std::vector<listener*> listeners_;
};

}  // namespace herald::engine
