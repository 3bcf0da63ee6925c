#pragma once
// The problem: a store's log must number its events without a gap, in the transaction that also has their rows, and find
// them again by topic without reading the others.
//
// `log_tables` makes and checks the tables of docs/formats/log.md. `log_writer` appends to them, within transactions that
// the store's writer begins and ends; names and topics are interned through bounded caches that forget what was rolled back.
//
// Private. Thread safety: belongs to its connection's thread. Lifetime: ends before its connection. Errors: values.

#include "sqlite.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <array>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace herald::detail {

inline constexpr std::int64_t log_application_id = 0x48524c44;  // "HRLD"
inline constexpr std::int64_t log_format = 1;

/// What herald_meta and herald_event say when a store is opened.
struct log_state {
  std::uint64_t epoch = 0;
  std::uint64_t floor = 1;  ///< the lowest sequence that is there
  std::uint64_t head = 0;   ///< the newest sequence; floor - 1 in an empty log
};

class log_tables {
 public:
  /// Refuses a file of another program or of a newer format; true when the file is a store's, false when it is empty.
  [[nodiscard]] static result<bool> recognise(sqlite::connection& db);
  /// Makes the tables where they are not, and takes a new epoch where events may have been lost. In a transaction.
  [[nodiscard]] static result<log_state> prepare(sqlite::connection& db, bool made_before, bool relaxed);
  [[nodiscard]] static result<log_state> read(sqlite::connection& db);
  /// Makes it another history than the one it was copied from.
  [[nodiscard]] static result<void> give_new_epoch(sqlite::connection& db);
  /// Notes that everything handed out is on the disk, at an orderly close.
  [[nodiscard]] static result<void> closed(sqlite::connection& db);
};

/// Interns texts in a table of (id, text). Holds at most `limit` of them in memory; the table has them all.
class intern_table {
 public:
  [[nodiscard]] static result<intern_table> open(sqlite::connection& db, std::string_view table, std::size_t limit);
  /// The text's number, made when there is none yet. 0 when the statement failed: ask the connection why.
  [[nodiscard]] std::int64_t id_of(std::string_view text);
  /// The transaction was rolled back, and with it the numbers it made.
  void rolled_back();
  void committed() noexcept { fresh_.clear(); }
  void forget_all() { known_.clear(); }

 private:
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  sqlite::statement find_;
  sqlite::statement insert_;
  std::unordered_map<std::string, std::int64_t, text_hash, std::equal_to<>> known_;
  std::vector<std::string> fresh_;  // made in the transaction at hand, so gone when it is rolled back
  std::size_t limit_ = 0;
};

/// An event as the log takes it. The views must live until flush.
struct log_entry {
  std::uint64_t sequence = 0;
  std::int64_t time = 0;  ///< microseconds since 1970
  std::string_view resource;
  std::string_view action;
  int kind = 0;
  std::string_view tenant;
  std::string payload;  ///< empty when begun
};

/// One publication of an event: its topic, the event's name there, and a hint which publication it was.
struct log_route {
  std::string_view topic;
  std::string_view event;
  std::uint16_t publication = 0;
};

/// Writes events, several with one statement: most of what a small statement costs is its beginning and its end.
class log_writer {
 public:
  [[nodiscard]] static result<log_writer> open(sqlite::connection& db);

  /// Begins an entry, to be filled in. Then its routes are added, and it is appended; flush writes those that still wait.
  [[nodiscard]] log_entry& begin() noexcept;
  // False when a statement failed: ask the connection why.
  [[nodiscard]] bool add_route(const log_route& route);
  [[nodiscard]] bool append();
  [[nodiscard]] bool flush();
  /// Of the entry in hand, before it is appended.
  [[nodiscard]] std::size_t routes_size() const noexcept { return places_[filled_].routes.size(); }

  void rolled_back();
  void committed() noexcept;
  /// After a trim, which may have deleted topics.
  void forget_topics() { topics_.forget_all(); }
  [[nodiscard]] intern_table& names() noexcept { return names_; }

 private:
  intern_table names_;
  intern_table topics_;
  static constexpr std::size_t at_once = 8;
  /// Its texts keep their memory from one event to the next.
  struct place {
    log_entry entry;
    std::int64_t resource = 0;
    std::int64_t action = 0;
    std::string routes;
    std::size_t first_topic = 0;  // in topics_waiting_
  };
  struct topic_of_event {
    std::int64_t topic;
    std::int64_t sequence;
  };
  /// Binds and runs a statement for so many of them, from one on.
  [[nodiscard]] bool write_events(sqlite::statement& with, std::size_t first, std::size_t count);
  [[nodiscard]] bool write_topics(sqlite::statement& with, std::size_t first, std::size_t count);
  /// Whole groups of topics; their places in the list are free again.
  [[nodiscard]] bool write_topic_groups();

  sqlite::statement insert_event_, insert_events_;  // one, and at_once
  sqlite::statement insert_topic_, insert_topics_;
  std::array<place, at_once> places_;
  std::size_t filled_ = 0;
  std::vector<topic_of_event> topics_waiting_;
};

}  // namespace herald::detail
