#pragma once
// Who wants to know when topics become wanted: producers for one topic each (interest.hpp), and the keepers of buses for
// all of them. A watch is an attachment of its incarnation.
//
// Each change of a topic or pattern that may be an edge makes the watches of the topics concerned look again, under one
// mutex; so what a producer is told alternates, and what it is told last is so.
//
// Lock order: a shard's edge lock, then this mutex, then the bus's lock of patterns.

#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include <herald/engine/cell.hpp>
#include <herald/engine/topic_record.hpp>

namespace herald::engine {

/// What a keeper is told: the topic or pattern has its first subscriber here, or has lost the last.
struct interest_edge {
  std::string topic;
  bool wanted;
};

class interest_registry;

struct interest_watch final : attachment {
  interest_watch(interest_registry& where, held_topic what, cell& c) noexcept
      : registry{&where}, topic{std::move(what)}, who{c.self()}, life{c.incarnation} {}
  interest_registry* registry;
  held_topic topic;  ///< null: all
  address who;
  std::uint32_t life;
  std::uint64_t number = 0;
  bool wanted = false;  ///< as it was told
  void wipe(host& home) noexcept override;
};

class interest_registry {
 public:
  /// Adds it and tells how things stand.
  void add(bus_core& bus, interest_watch& w);
  void remove(interest_watch& w) noexcept;
  /// The process's watch of this topic, null when it has none.
  [[nodiscard]] interest_watch* find(const cell& c, const topic_record& topic) noexcept;
  void edge(topic_record& topic, bool wanted);

 private:
  static void look(interest_watch& w);
  std::mutex mutex_;
  std::unordered_map<const topic_record*, std::vector<interest_watch*>> of_topic_;
  std::map<std::uint64_t, interest_watch*> ordered_;  ///< the same, as they came: what is told has an order to rely on
  std::vector<interest_watch*> of_all_;
  std::uint64_t next_ = 0;
};

}  // namespace herald::engine
