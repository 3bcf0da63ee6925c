#pragma once
// The problem: processes come and go, and others must find them by what they are for (a user, a room, a device), not by
// where they stand in a tree; and a name must be free the moment its holder is not there any more, or it is worse than
// none. A registry maps keys to incarnations, with a value each.
//
//   const herald::registry<std::string, user> sessions{"sessions"};          // one holder a key
//   const herald::registry<std::string> tags{"tags", herald::duplicate_keys};  // any number
//
//   session(herald::context& self, args a) { a.sessions.register_key(self, a.name, user{...}).value(); }
//   child<session>("ann", {...}, {.via = sessions.name("ann")})              // claimed before init
//   sessions.find<session>("ann").cast(say{"hello"});
//   sessions.at<session>("ann").call(whoami{}, 1s);                          // looked up at each call
//
// A registry is a handle: make it before the application, hand it to processes in their args, keep it in plain threads.
// Copies are the same registry. It may serve several applications.
//
// Thread safety: look-ups, counts and dispatch from any thread; what takes a context, from that process's handlers.
// Lifetime: an entry belongs to one incarnation and goes with it: after its state is destroyed (fenced, for a stuck one)
// and before anybody hears of the end. Entries must not own a handle of their own registry. Errors: already_registered
// with the holder; closed when the caller is no handler of the context's incarnation. Cost: one short lock of 64, a hash.
// Bounds: as many entries as memory holds. The idea: Elixir's Registry.

#include <optional>
#include <vector>

#include <herald/engine/registry_table.hpp>
#include <herald/engine/start_error.hpp>
#include <herald/ref.hpp>
#include <herald/registry_lock.hpp>
#include <herald/stop.hpp>
#include <herald/via.hpp>

namespace herald {

enum class registry_keys : std::uint8_t {
  unique_keys,    ///< one holder a key
  duplicate_keys  ///< any number of entries a key, also by one process
};
using enum registry_keys;

namespace detail {

/// Strings are looked up without making one.
struct string_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>{}(s); }
};
template <class Key>
struct registry_key {
  using view = const Key&;
  using hash = std::hash<Key>;
};
template <>
struct registry_key<std::string> {
  using view = std::string_view;
  using hash = string_hash;
};

}  // namespace detail

/// Whether a key was registered, and who holds it otherwise.
struct registration : result<void> {
  registration() = default;
  registration(herald::error why, incarnation_ref who = {}) : result<void>{std::move(why)}, holder{std::move(who)} {}  // NOLINT
  incarnation_ref holder;
};

template <class Key, class Value = no_value, class Hash = typename detail::registry_key<Key>::hash>
class registry {
  using table = engine::registry_table<Key, Value, Hash>;
  using row = typename table::entry;

 public:
  using view = typename detail::registry_key<Key>::view;
  struct entry {
    incarnation_ref who;
    Value value;
  };
  struct full_entry {
    Key key;
    incarnation_ref who;
    Value value;
  };

  explicit registry(std::string name, registry_keys keys = unique_keys)
      : table_{std::make_shared<table>(std::move(name), keys == unique_keys)} {}

  [[nodiscard]] const std::string& name() const noexcept { return table_->name(); }

  // --- what a process does with its own entries ---------------------------------------------------------------------
  /// Registers the calling process under `key`; until it unregisters or its incarnation ends.
  registration register_key(context& self, Key key, Value value = {}) const;
  /// Removes the caller's own entries under `key`, all or those whose value `which` accepts. How many they were.
  std::size_t unregister(context& self, view key) const {
    return unregister(self, key, [](const Value&) { return true; });
  }
  template <class Predicate>
  std::size_t unregister(context& self, view key, Predicate which) const;
  /// Replaces the value of the caller's own unique entry by change(old); readers see one or the other. Answers the new
  /// one; not_found when the caller does not hold the key, not_supported with duplicate keys.
  template <class F>
  result<Value> update(context& self, view key, F change) const;
  /// Tells the caller (a P) of every registration and its end from now on: on(const registered<Key, Value>&) and
  /// on(const unregistered<Key, Value>&). The events of one key come in their order.
  template <class P>
    requires(engine::accepts<P, registered<Key, Value>> && engine::accepts<P, unregistered<Key, Value>>)
  bool listen(context& self) const;

  // --- finding --------------------------------------------------------------------------------------------------------
  /// The holder, or the first of several, if it is a P; else empty.
  template <class P>
  [[nodiscard]] ref<P> find(view key) const {
    const auto [who, type] = first(key);
    return type == &engine::ops_of<P> ? ref<P>{who.who().where()} : ref<P>{};
  }
  [[nodiscard]] any_ref find(view key) const { return first(key).first.who(); }
  /// All entries under `key`, in the order of registration.
  [[nodiscard]] std::vector<entry> look_up(view key) const;
  /// Those whose value equals `wanted`, or for which wanted(const Value&) holds.
  template <class Wanted>
  [[nodiscard]] std::vector<entry> match(view key, const Wanted& wanted) const;
  template <class Wanted>
  [[nodiscard]] std::size_t count_match(view key, const Wanted& wanted) const {
    return match(key, wanted).size();
  }
  /// Every entry for which wanted(const Key&, incarnation_ref, const Value&) holds. A full scan, shard by shard.
  template <class Predicate>
  [[nodiscard]] std::vector<full_entry> select(Predicate wanted) const;
  [[nodiscard]] std::size_t count() const;
  [[nodiscard]] std::size_t count(view key) const;
  /// The keys of one process; one under which it has several entries, as often.
  [[nodiscard]] std::vector<Key> keys(const any_ref& who) const;
  /// The values of one process's entries under `key`.
  [[nodiscard]] std::vector<Value> values(view key, const any_ref& who) const;

  /// Calls f(any_ref, const Value&) for every entry under `key`, here and now. How many they were.
  template <class F>
  std::size_t dispatch(view key, F f) const;
  /// Sends a copy to every entry under `key`. How many they were.
  template <class M>
  std::size_t cast(view key, const M& message) const {
    return dispatch(key, [&](const any_ref& who, const Value&) { who.cast(M{message}); });
  }

  // --- by name --------------------------------------------------------------------------------------------------------
  /// For child_options::via: the child claims `key` before its init.
  [[nodiscard]] via_name name(Key key, Value value = {}) const;
  /// The same with a key made from the child's arguments (P::args), so that a dynamic supervisor's children have one each.
  template <class P, class F>
  [[nodiscard]] via_name name_from(F key_of) const;

  /// Whoever holds a key at the moment of each use.
  template <class P>
  class named {
   public:
    named(registry where, Key key) : where_{std::move(where)}, key_{std::move(key)} {}
    [[nodiscard]] ref<P> find() const { return where_.template find<P>(key_); }
    template <class M>
    void cast(M message) const {
      find().cast(std::move(message));
    }
    template <class M>
    [[nodiscard]] auto call(M message, time_limit limit = default_call_limit) const {
      return find().call(std::move(message), limit);
    }
    template <class M, class F>
    void call(context& self, M message, time_limit limit, F then) const {
      self.call(find(), std::move(message), limit, std::move(then));
    }
    /// See herald::stop.
    [[nodiscard]] result<void> stop(exit_reason why = {},
                                    std::chrono::milliseconds limit = default_call_limit) const {
      return herald::stop(find(), std::move(why), limit);
    }

   private:
    registry where_;
    Key key_;
  };
  template <class P>
  [[nodiscard]] named<P> at(Key key) const {
    return {*this, std::move(key)};
  }

  // --- locks ----------------------------------------------------------------------------------------------------------
  /// Waits for the lock of `key` (free or registered, it does not matter); then(result<key_lock>) runs as a handler of
  /// the caller. It is held until the key_lock is destroyed or the holder's incarnation ends.
  template <class F>
  void lock(context& self, Key key, std::chrono::milliseconds limit, F then) const {
    auto* pending = new engine::call_continuation<key_lock, F>{std::move(then)};
    if (!engine::begin_call(self.cell(), self.incarnation(), pending, limit)) return;
    engine::ask_for_lock(self, table_->locks->line(std::move(key)), pending->id);
  }
  /// The same for a plain thread, which blocks.
  [[nodiscard]] result<key_lock> lock(const application& app, Key key,
                                      std::chrono::milliseconds limit = default_call_limit) const {
    return engine::wait_for_lock(app, table_->locks->line(std::move(key)), limit);
  }
  /// Keys that somebody holds or waits for.
  [[nodiscard]] std::size_t locked_keys() const { return table_->locks->size(); }

 private:
  std::pair<incarnation_ref, const engine::process_ops*> first(view key) const;
  template <class F>
  void each(view key, F f) const;
  std::shared_ptr<table> table_;
};

}  // namespace herald

#include <herald/engine/registry_impl.hpp>
