#pragma once
// The problem: who is here now? Users come by several devices, connections die without a word, and a list that is kept by
// hand is wrong soon. A presence lists processes under a topic and a key for as long as they live: what a process tracked
// goes with its incarnation, however that ends, and each change is told to whoever wants to follow it.
//
//   struct device { std::string name; bool away = false; };                      // what is known of each: yours
//
//   .children = {herald::presence_tracker<device>("online"), ...}                // before those who use it
//
//   session(herald::context& self, args a) : online_{self, "online"} {
//     ref_ = online_.track(self, "room:1", a.user, device{"phone"}).value();     // this process, under the user's name
//   }
//   online.update(self, "room:1", user, [](device d) { d.away = true; return d; });
//   for (const auto& [user, metas] : herald::by_key(online.list("room:1").value())) ...  // metas: one for each process
//
// One process may be tracked under many topics and keys, and one key by many processes; process, topic and key together
// are one presence. Each has a ref of its own, and a new one after each update, with the one before in `previous`.
//
// Changes are events, on a topic of the presence's own: what happens in "room:1" of "online" is told on "online:room:1",
// one presence_diff at a time with what came and what went (an update is both, the end of a process one diff for each
// topic), in one order for all subscribers. Whoever subscribes first and lists then has missed nothing; what is in the
// list already comes with a version that is not above the list's. presence_view.hpp does that.
//
//   herald::subscribe(self, online, "room:1");         void on(const herald::presence_diff<device>& d);
//
// The tracker is a child like others. Crashes and kills of it change nothing of who is here; when it ends by itself or with
// its supervisor, all are gone, and told so. Before it has started, everything answers no_presence.
//
// Thread safety: handles are values for any thread; reading takes a lock of the topic's part only, and waits for nobody.
// track, update and untrack with a context belong in that process's own handlers; with a ref, on plain threads, and with
// both and a continuation in handlers, for another process. Metas are immutable once tracked. Lifetime: handles may
// outlive the application. Errors: pubsub_errc: no_presence, already_tracked, not_tracked, full, bad_topic, bad_option,
// wrong_place, closed; for others' processes also would_block and noproc. The idea: Phoenix.Tracker, and the grouping of
// Phoenix.Presence. On one node; other nodes' processes come with the cluster.

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <herald/child_spec.hpp>
#include <herald/context.hpp>
#include <herald/subscription.hpp>

namespace herald {

/// Names one state of one presence, and no other, also of other programs. Of two refs of one tracker, the later one is greater.
struct presence_ref {
  std::uint64_t tracker = 0;  ///< random for each start of a program
  std::uint64_t number = 0;   ///< 0: none
  [[nodiscard]] explicit operator bool() const noexcept { return number != 0; }
  [[nodiscard]] std::string text() const;  ///< hex digits, for clients; empty when there is none
  friend auto operator<=>(const presence_ref&, const presence_ref&) = default;
};

struct presence_options {
  std::string bus{};                       ///< where changes are told; empty: the default bus
  bool announce = true;                    ///< false: nobody is told, lists only
  std::uint32_t max_presences = 1'000'000;  ///< 1 up; one more answers full
  friend bool operator==(const presence_options&, const presence_options&) = default;
};

namespace engine {
struct presence_base {
  std::string key;
  any_ref who;            ///< the process
  presence_ref ref;
  presence_ref previous;  ///< before its last update; none: it was not updated
};
using presence_ptr = std::shared_ptr<const presence_base>;
}  // namespace engine

/// One process under one key, as it was at some time.
template <class Meta>
struct presence_entry : engine::presence_base {
  explicit presence_entry(Meta m) : meta(std::move(m)) {}
  Meta meta;
};
template <class Meta>
using present = std::shared_ptr<const presence_entry<Meta>>;

/// A change of who is in a topic.
template <class Meta>
struct presence_diff {
  std::string topic;
  std::vector<present<Meta>> joins;
  std::vector<present<Meta>> leaves;
  std::uint64_t version = 0;  ///< of the topic after it; grows, not always by one
  std::uint64_t after = 0;    ///< the version it follows; 0: nobody was there
};

/// Who is in a topic, by key and in the order of coming.
template <class Meta>
struct presence_list {
  std::vector<present<Meta>> entries;
  std::uint64_t version = 0;  ///< changes up to this one are in it
  [[nodiscard]] auto begin() const noexcept { return entries.begin(); }
  [[nodiscard]] auto end() const noexcept { return entries.end(); }
  [[nodiscard]] std::size_t size() const noexcept { return entries.size(); }
  [[nodiscard]] bool empty() const noexcept { return entries.empty(); }
};

/// Each key with all that is known under it.
template <class Meta>
[[nodiscard]] std::map<std::string, std::vector<present<Meta>>> by_key(const std::vector<present<Meta>>& entries) {
  std::map<std::string, std::vector<present<Meta>>> groups;
  for (const auto& e : entries) groups[e->key].push_back(e);
  return groups;
}
template <class Meta>
[[nodiscard]] auto by_key(const presence_list<Meta>& list) {
  return by_key<Meta>(list.entries);
}

namespace engine {
class presence_table;
/// What only the type of the metas can do.
struct presence_kind {
  const type_tag* meta;
  published* (*diff)(std::string topic, std::vector<presence_ptr> joins, std::vector<presence_ptr> leaves, std::uint64_t version,
                     std::uint64_t after);
};
template <class Meta>
[[nodiscard]] std::vector<present<Meta>> typed(std::vector<presence_ptr> raw) {
  std::vector<present<Meta>> out;
  out.reserve(raw.size());
  for (auto& p : raw) out.push_back(std::static_pointer_cast<const presence_entry<Meta>>(std::move(p)));
  return out;
}
template <class Meta>
inline constexpr presence_kind presence_kind_of{
    &tag_of<Meta>, [](std::string topic, std::vector<presence_ptr> joins, std::vector<presence_ptr> leaves, std::uint64_t version,
                      std::uint64_t after) {
      return make_published(
          presence_diff<Meta>{std::move(topic), typed<Meta>(std::move(joins)), typed<Meta>(std::move(leaves)), version, after});
    }};

using presence_make = std::function<std::shared_ptr<presence_base>(const presence_base& old)>;
struct presence_found {
  std::vector<presence_ptr> entries;
  std::uint64_t version = 0;
};
[[nodiscard]] std::shared_ptr<presence_table> presence_of(const application& app, std::string_view name, const presence_kind& kind);
[[nodiscard]] std::shared_ptr<presence_table> presence_of(const context& self, std::string_view name, const presence_kind& kind);
[[nodiscard]] result<presence_ref> presence_track(presence_table& in, context& self, std::string_view topic,
                                                  std::shared_ptr<presence_base> fresh);
[[nodiscard]] result<presence_ref> presence_update(presence_table& in, context& self, std::string_view topic, std::string_view key,
                                                   const presence_make& make);
[[nodiscard]] result<void> presence_untrack(presence_table& in, context& self, std::string_view topic, std::string_view key);
[[nodiscard]] result<std::size_t> presence_untrack(presence_table& in, context& self);
[[nodiscard]] result<presence_ref> presence_track(std::shared_ptr<presence_table> in, const any_ref& who, std::string_view topic,
                                                  std::shared_ptr<presence_base> fresh, std::chrono::milliseconds limit);
[[nodiscard]] result<presence_ref> presence_update(std::shared_ptr<presence_table> in, const any_ref& who, std::string_view topic,
                                                   std::shared_ptr<presence_base> fresh, std::chrono::milliseconds limit);
[[nodiscard]] result<presence_ref> presence_update(std::shared_ptr<presence_table> in, const any_ref& who, std::string_view topic,
                                                   std::string_view key, const presence_make& make, std::chrono::milliseconds limit);
[[nodiscard]] result<std::size_t> presence_untrack(std::shared_ptr<presence_table> in, const any_ref& who, const std::string* topic,
                                                   std::string_view key, std::chrono::milliseconds limit);
// The same, answered to whoever waits there.
void presence_track(std::shared_ptr<presence_table> in, const any_ref& who, std::string_view topic,
                    std::shared_ptr<presence_base> fresh, reply_to back);
void presence_update(std::shared_ptr<presence_table> in, const any_ref& who, std::string_view topic,
                     std::shared_ptr<presence_base> fresh, reply_to back);
void presence_untrack(std::shared_ptr<presence_table> in, const any_ref& who, const std::string* topic, std::string_view key,
                      reply_to back);
[[nodiscard]] result<presence_found> presence_read(const presence_table& in, std::string_view topic, const std::string_view* key);
[[nodiscard]] result<std::size_t> presence_count(const presence_table& in, std::string_view topic, const std::string_view* key);
[[nodiscard]] result<std::size_t> presence_total(const presence_table& in);
[[nodiscard]] const std::string& presence_name(const presence_table& in) noexcept;
[[nodiscard]] result<bus> presence_bus(const presence_table& in);
[[nodiscard]] child_spec presence_child(std::string name, presence_options options, const presence_kind& kind);
}  // namespace engine

/// What is wrong with them, if anything.
[[nodiscard]] result<void> check_options(const presence_options& options);

/// The child that opens and closes the presence of this name, which is a topic without wildcards; its id is
/// "presence:<name>". Throws std::logic_error for a bad name or option.
template <class Meta>
[[nodiscard]] child_spec presence_tracker(std::string name, presence_options options = {}) {
  return engine::presence_child(std::move(name), std::move(options), engine::presence_kind_of<Meta>);
}

template <class Meta>
class presence {
  static_assert(std::is_object_v<Meta> && std::is_move_constructible_v<Meta>, "herald: a presence's meta must be movable");

 public:
  using meta = Meta;
  using entry = present<Meta>;
  using diff = presence_diff<Meta>;

  /// The presence of this name; it need not have started yet. Throws std::logic_error when the name is wrong, or is one of
  /// metas of another type.
  presence(const application& app, std::string_view name)
      : table_{engine::presence_of(app, name, engine::presence_kind_of<Meta>)} {}
  presence(const context& self, std::string_view name)
      : table_{engine::presence_of(self, name, engine::presence_kind_of<Meta>)} {}

  [[nodiscard]] const std::string& name() const noexcept { return engine::presence_name(*table_); }
  /// Where the changes of a topic (or of all that a pattern matches) are told.
  [[nodiscard]] std::string diffs(std::string_view topic) const { return name() + ":" + std::string{topic}; }
  /// The bus it is told on. Errors: no_presence.
  [[nodiscard]] result<herald::bus> bus() const { return engine::presence_bus(*table_); }

  /// From now on this process is there, until its incarnation ends. The key has 1 to 1024 bytes.
  result<presence_ref> track(context& self, std::string_view topic, std::string_view key, Meta m) const {
    return engine::presence_track(*table_, self, topic, fresh(key, std::move(m)));
  }
  /// Another meta for what this process tracked. Errors: not_tracked.
  result<presence_ref> update(context& self, std::string_view topic, std::string_view key, Meta m) const {
    auto made = fresh(key, std::move(m));
    return engine::presence_update(*table_, self, topic, key, [&](const engine::presence_base&) { return std::move(made); });
  }
  /// change(const Meta&) gives the new one.
  template <class F>
    requires(std::is_invocable_r_v<Meta, const F&, const Meta&> && !std::is_convertible_v<F, Meta>)
  result<presence_ref> update(context& self, std::string_view topic, std::string_view key, const F& change) const {
    return engine::presence_update(*table_, self, topic, key, [&](const engine::presence_base& old) {
      return fresh(key, change(static_cast<const presence_entry<Meta>&>(old).meta));
    });
  }
  /// It is there no more; that it was not is fine.
  result<void> untrack(context& self, std::string_view topic, std::string_view key) const {
    return engine::presence_untrack(*table_, self, topic, key);
  }
  /// The same for all topics and keys; says how many.
  result<std::size_t> untrack(context& self) const { return engine::presence_untrack(*table_, self); }

  // For another process, whose present incarnation is meant. On plain threads; inside a handler they answer would_block.
  result<presence_ref> track(const any_ref& who, std::string_view topic, std::string_view key, Meta m,
                             std::chrono::milliseconds limit = default_call_limit) const {
    return engine::presence_track(table_, who, topic, fresh(key, std::move(m)), limit);
  }
  result<presence_ref> update(const any_ref& who, std::string_view topic, std::string_view key, Meta m,
                              std::chrono::milliseconds limit = default_call_limit) const {
    return engine::presence_update(table_, who, topic, fresh(key, std::move(m)), limit);
  }
  /// change(const Meta&) gives the new one, on this thread; it is asked again when somebody else has changed it meanwhile.
  template <class F>
    requires(std::is_invocable_r_v<Meta, const F&, const Meta&> && !std::is_convertible_v<F, Meta>)
  result<presence_ref> update(const any_ref& who, std::string_view topic, std::string_view key, const F& change,
                              std::chrono::milliseconds limit = default_call_limit) const {
    return engine::presence_update(table_, who, topic, key, [&](const engine::presence_base& old) {
      return fresh(key, change(static_cast<const presence_entry<Meta>&>(old).meta));
    }, limit);
  }
  result<void> untrack(const any_ref& who, std::string_view topic, std::string_view key,
                       std::chrono::milliseconds limit = default_call_limit) const {
    const std::string in{topic};
    if (auto gone = engine::presence_untrack(table_, who, &in, key, limit); !gone) return gone.error();
    return {};
  }
  result<std::size_t> untrack(const any_ref& who, std::chrono::milliseconds limit = default_call_limit) const {
    return engine::presence_untrack(table_, who, nullptr, {}, limit);
  }

  // The same from a handler: then(result<presence_ref>), of untrack then(result<std::size_t>), runs as a handler of the caller.
  template <class F>
  void track(context& self, const any_ref& who, std::string_view topic, std::string_view key, Meta m,
             std::chrono::milliseconds limit, F then) const {
    if (const auto back = awaited<presence_ref>(self, limit, std::move(then)))
      engine::presence_track(table_, who, topic, fresh(key, std::move(m)), *back);
  }
  template <class F>
  void update(context& self, const any_ref& who, std::string_view topic, std::string_view key, Meta m,
              std::chrono::milliseconds limit, F then) const {
    if (const auto back = awaited<presence_ref>(self, limit, std::move(then)))
      engine::presence_update(table_, who, topic, fresh(key, std::move(m)), *back);
  }
  template <class F>
  void untrack(context& self, const any_ref& who, std::string_view topic, std::string_view key,
               std::chrono::milliseconds limit, F then) const {
    const std::string in{topic};
    if (const auto back = awaited<std::size_t>(self, limit, std::move(then)))
      engine::presence_untrack(table_, who, &in, key, *back);
  }

  /// Who is in a topic now.
  [[nodiscard]] result<presence_list<Meta>> list(std::string_view topic) const { return listed(topic, nullptr); }
  /// Who is there under one key: at the cost of one, however full the topic is.
  [[nodiscard]] result<presence_list<Meta>> get_by_key(std::string_view topic, std::string_view key) const {
    return listed(topic, &key);
  }
  /// How many are in a topic, or under one key of it: without looking at them.
  [[nodiscard]] result<std::size_t> count(std::string_view topic) const { return engine::presence_count(*table_, topic, nullptr); }
  [[nodiscard]] result<std::size_t> count(std::string_view topic, std::string_view key) const {
    return engine::presence_count(*table_, topic, &key);
  }
  [[nodiscard]] result<bool> has_key(std::string_view topic, std::string_view key) const {
    const auto n = count(topic, key);
    if (!n) return n.error();
    return *n != 0;
  }
  /// How many there are in all topics.
  [[nodiscard]] result<std::size_t> total() const { return engine::presence_total(*table_); }

  friend bool operator==(const presence&, const presence&) = default;

 private:
  /// Where the answer to a handler's question goes; none: its life is over.
  template <class R, class F>
  static std::optional<engine::reply_to> awaited(context& self, std::chrono::milliseconds limit, F then) {
    auto* pending = new engine::call_continuation<R, F>{std::move(then)};
    if (!engine::begin_call(self.cell(), self.incarnation(), pending, limit)) return std::nullopt;
    return engine::reply_to{self.self().where(), self.incarnation(), pending->id, nullptr};
  }
  static std::shared_ptr<presence_entry<Meta>> fresh(std::string_view key, Meta&& m) {
    auto made = std::make_shared<presence_entry<Meta>>(std::move(m));
    made->key = key;
    return made;
  }
  [[nodiscard]] result<presence_list<Meta>> listed(std::string_view topic, const std::string_view* key) const {
    auto found = engine::presence_read(*table_, topic, key);
    if (!found) return found.error();
    return presence_list<Meta>{engine::typed<Meta>(std::move(found->entries)), found->version};
  }
  std::shared_ptr<engine::presence_table> table_;
};

/// Subscribes this process to the changes of a topic, or of all topics that a pattern matches. False: the application is
/// stopping. Throws std::logic_error when the presence has not started, the topic is wrong, or the process does not name
/// presence_diff<Meta>.
template <class Meta>
bool subscribe(context& self, const presence<Meta>& to, std::string_view topic, subscription_options options = {}) {
  auto where = to.bus();
  if (!where) return detail::or_throw(where.error());
  return subscribe<presence_diff<Meta>>(self, *where, to.diffs(topic), std::move(options));
}
template <class Meta>
void unsubscribe(context& self, const presence<Meta>& from, std::string_view topic) {
  if (auto where = from.bus()) unsubscribe(self, *where, from.diffs(topic));
}

}  // namespace herald
