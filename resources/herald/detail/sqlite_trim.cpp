#include "sqlite_trim.hpp"

#include "sqlite_storage.hpp"
#include "varint.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace herald::detail {

namespace {

using sqlite::step_result;
constexpr auto doing = "trim the log";

bool ran(sqlite::statement& one) {
  sqlite::reset_at_end reset{one};
  return one.step() == step_result::done;
}

}  // namespace

result<log_trimmer> log_trimmer::open(sqlite::connection& db) {
  log_trimmer made;
  const std::pair<sqlite::statement*, std::string_view> statements[] = {
      {&made.old_, "SELECT sequence, routes, length(payload) FROM herald_event WHERE sequence <= ?1 ORDER BY sequence"},
      {&made.delete_old_, "DELETE FROM herald_event WHERE sequence <= ?1"},
      {&made.raise_floor_, "UPDATE herald_meta SET value = ?1 + 1 WHERE name = 'floor'"},
      {&made.forget_superseded_, "DELETE FROM herald_superseded WHERE sequence <= ?1"},
      {&made.superseded_, "SELECT sequence FROM herald_superseded WHERE newer <= ?1 ORDER BY sequence LIMIT ?2"},
      {&made.event_, "SELECT routes, length(payload) FROM herald_event WHERE sequence = ?1"},
      {&made.delete_event_, "DELETE FROM herald_event WHERE sequence = ?1"},
      {&made.done_superseded_, "DELETE FROM herald_superseded WHERE sequence = ?1"},
      {&made.delete_entry_, "DELETE FROM herald_event_topic WHERE topic = ?1 AND sequence = ?2"},
      // The topic with the highest number stays, so that numbers are never used again.
      {&made.delete_topic_,
       "DELETE FROM herald_topic WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM herald_event_topic t WHERE t.topic = ?1) "
       "AND id < (SELECT max(id) FROM herald_topic)"},
  };
  for (const auto& [target, sql] : statements) {
    auto prepared = db.prepare(sql, doing);
    if (!prepared) return prepared.error();
    *target = *std::move(prepared);
  }
  return made;
}

bool log_trimmer::take_topics(std::int64_t sequence, std::string_view routes) {
  while (!routes.empty()) {
    const auto topic = take_varint(routes);
    if (!topic || !take_varint(routes) || !take_varint(routes)) return true;  // damaged: verify says so
    const auto id = static_cast<std::int64_t>(*topic);
    topics_.push_back(id);
    delete_entry_.bind(1, id);
    delete_entry_.bind(2, sequence);
    if (!ran(delete_entry_)) return false;
  }
  return true;
}

bool log_trimmer::forget_topics() {
  std::sort(topics_.begin(), topics_.end());
  topics_.erase(std::unique(topics_.begin(), topics_.end()), topics_.end());
  for (const auto id : topics_) {
    delete_topic_.bind(1, id);
    if (!ran(delete_topic_)) return false;
  }
  return true;
}

result<log_trimmer::dropped> log_trimmer::drop_to(sqlite::connection& db, std::uint64_t last) {
  dropped gone;
  topics_.clear();
  {
    sqlite::reset_at_end reset{old_};
    old_.bind(1, static_cast<std::int64_t>(last));
    while (true) {
      const auto step = old_.step();
      if (step == step_result::failed) return db.failure(doing);
      if (step == step_result::done) break;
      const auto routes = old_.bytes(1);
      ++gone.events;
      gone.bytes += routes.size() + static_cast<std::uint64_t>(old_.integer(2)) + event_overhead;
      if (!take_topics(old_.integer(0), routes)) return db.failure(doing);
    }
  }
  for (auto* one : {&delete_old_, &forget_superseded_, &raise_floor_}) {
    one->bind(1, static_cast<std::int64_t>(last));
    if (!ran(*one)) return db.failure(doing);
  }
  if (!forget_topics()) return db.failure(doing);
  return gone;
}

result<log_trimmer::dropped> log_trimmer::drop_superseded(sqlite::connection& db, std::uint64_t newest, std::size_t limit) {
  dropped gone;
  topics_.clear();
  std::vector<std::int64_t> sequences;
  {
    sqlite::reset_at_end reset{superseded_};
    superseded_.bind(1, static_cast<std::int64_t>(newest));
    superseded_.bind(2, static_cast<std::int64_t>(limit));
    while (true) {
      const auto step = superseded_.step();
      if (step == step_result::failed) return db.failure(doing);
      if (step == step_result::done) break;
      sequences.push_back(superseded_.integer(0));
    }
  }
  for (const auto sequence : sequences) {
    {
      sqlite::reset_at_end reset{event_};
      event_.bind(1, sequence);
      const auto step = event_.step();
      if (step == step_result::failed) return db.failure(doing);
      if (step == step_result::row) {
        const std::string routes{event_.bytes(0)};
        gone.bytes += routes.size() + static_cast<std::uint64_t>(event_.integer(1)) + event_overhead;
        if (!take_topics(sequence, routes)) return db.failure(doing);
      }
    }
    for (auto* one : {&delete_event_, &done_superseded_}) {
      one->bind(1, sequence);
      if (!ran(*one)) return db.failure(doing);
    }
    ++gone.events;
  }
  if (!sequences.empty()) {
    gone.newest = static_cast<std::uint64_t>(sequences.back());
    const auto sql = fmt::format("INSERT INTO herald_meta VALUES ('compacted', {0}) ON CONFLICT(name) DO UPDATE SET "
                                 "value = max(value, excluded.value)",
                                 sequences.back());
    if (auto noted = db.execute(sql.c_str(), doing); !noted) return noted.error();
  }
  if (!forget_topics()) return db.failure(doing);
  return gone;
}

result<std::size_t> sqlite_storage::trim(std::uint64_t sequence, std::size_t limit) {
  const auto first = floor();
  const auto last = std::min({sequence, head().sequence, first + limit - 1});
  if (limit == 0 || last < first) return std::size_t{0};
  return drop([&] { return trimmer_.drop_to(db_, last); }, last + 1, static_cast<std::size_t>(last - first + 1));
}

result<std::size_t> sqlite_storage::compact(std::uint64_t newest, std::size_t limit) {
  return drop([&] { return trimmer_.drop_superseded(db_, newest, limit); }, 0, 0);
}

result<std::size_t> sqlite_storage::drop(const std::function<result<log_trimmer::dropped>()>& what, std::uint64_t new_floor,
                                         std::size_t covered) {
  if (auto begun = run(begin_, "begin to trim the log"); !begun) return begun.error();
  auto gone = what();
  auto done = gone ? run(commit_, doing) : result<void>{gone.error()};
  if (!done) {
    rollback();
    return done.error();
  }
  if (gone->events == 0 && new_floor == 0) return std::size_t{0};
  log_.forget_topics();
  if (new_floor != 0) floor_.store(new_floor, std::memory_order_release);
  compacted_.store(std::max(compacted(), gone->newest), std::memory_order_release);
  bytes_ -= std::min(bytes_, gone->bytes);
  // In small steps: what many trims have freed does not hold up the writer at once.
  if (auto freed = db_.execute("PRAGMA incremental_vacuum(1000)", "free the trimmed pages"); !freed) return freed.error();
  return std::max(covered, gone->events);
}

result<void> sqlite_storage::load_retention() {
  auto trimmer = log_trimmer::open(db_);
  if (!trimmer) return trimmer.error();
  trimmer_ = *std::move(trimmer);
  const auto compacted = db_.integer_of("SELECT value FROM herald_meta WHERE name = 'compacted'", "read the log");
  if (!compacted) return compacted.error();
  compacted_.store(static_cast<std::uint64_t>(compacted->value_or(0)), std::memory_order_release);
  if (options_.retention.bytes == 0 && options_.retention.hard_bytes == 0) return {};
  const auto sql = fmt::format("SELECT sum(length(routes) + length(payload) + {}) FROM herald_event", event_overhead);
  const auto bytes = db_.integer_of(sql, "weigh the log");
  if (!bytes) return bytes.error();
  bytes_ = static_cast<std::uint64_t>(bytes->value_or(0));
  return {};
}

bool sqlite_storage::compacts(const resource_table& table) const {
  const auto& all = options_.retention.compact;
  return std::find(all.begin(), all.end(), &table) != all.end();
}

result<std::optional<timestamp>> sqlite_storage::time_of(std::uint64_t sequence) {
  sqlite::reset_at_end reset{time_of_};
  time_of_.bind(1, static_cast<std::int64_t>(sequence));
  const auto step = time_of_.step();
  if (step == step_result::failed) return db_.failure("read the log");
  if (step == step_result::done) return std::optional<timestamp>{};
  return std::optional{timestamp{std::chrono::microseconds{time_of_.integer(0)}}};
}

result<void> sqlite_storage::note_key(const event_record& event) {
  constexpr auto noting = "note the newest event of a key";
  key_.clear();
  encode_key(event.key, key_);
  const auto resource = log_.names().id_of(event.resource->name);
  std::int64_t before = 0;
  {
    sqlite::reset_at_end reset{newest_of_key_};
    newest_of_key_.bind(1, resource);
    newest_of_key_.bind_blob(2, key_);
    const auto step = newest_of_key_.step();
    if (step == step_result::failed) return db_.failure(noting);
    if (step == step_result::row) before = newest_of_key_.integer(0);
  }
  const auto sequence = static_cast<std::int64_t>(event.at.sequence);
  // A record that is gone needs no place: should its key come back, the event of its end stays in the log.
  auto& note = event.kind == event_kind::destroyed ? forget_key_ : note_key_;
  note.bind(1, resource);
  note.bind_blob(2, key_);
  if (event.kind != event_kind::destroyed) note.bind(3, sequence);
  if (!ran(note)) return db_.failure(noting);
  if (static_cast<std::uint64_t>(before) < floor()) return {};
  note_superseded_.bind(1, before);
  note_superseded_.bind(2, sequence);
  if (!ran(note_superseded_)) return db_.failure(noting);
  return {};
}

}  // namespace herald::detail
