#pragma once
// The problem: a subscriber that was away reads what it missed while the writer writes on. A read transaction that stays open
// keeps SQLite from reusing its write-ahead log, which then grows without end; so reading goes page by page, and nothing is
// held between pages, nor while events are delivered.
//
// Private. Thread safety: one thread at a time; any number of readers beside the writer. Errors: values; `gone` when the
// offset cannot be continued from.

#include "sqlite.hpp"
#include "sqlite_log.hpp"

#include <herald/offset.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace herald::detail {

/// An event as the log has it. The views are valid within the callback that is given it.
struct stored_entry {
  std::uint64_t sequence = 0;
  std::int64_t time = 0;
  std::string_view resource;
  std::string_view action;
  int kind = 0;
  std::string_view tenant;
  std::string_view payload;
  const std::vector<log_route>* routes = nullptr;
};

class log_reader {
 public:
  [[nodiscard]] static result<log_reader> open(const std::string& file, std::chrono::milliseconds busy_limit);

  [[nodiscard]] result<log_state> state();

  struct page {
    std::uint64_t last = 0;   ///< the last sequence that was looked at: go on from here
    std::uint64_t head = 0;   ///< the log's newest sequence when the page was read
    std::uint64_t count = 0;  ///< events given to the callback
  };
  /// An error ends the reading and is the reading's result.
  using entry_sink = std::function<result<void>(const stored_entry&)>;

  /// Gives `each` at most `limit` events above `after`, in order: all of them, or those of one topic.
  /// `gone` when `after` lies below the floor or above the head, or is of another epoch.
  [[nodiscard]] result<page> read(const offset& after, const std::optional<std::string_view>& topic, std::size_t limit,
                                  const entry_sink& each);

  [[nodiscard]] sqlite::connection& connection() noexcept { return *db_; }

 private:
  /// id -> text, asked for once. Texts of an id never change, so what is cached stays right.
  class names {
   public:
    [[nodiscard]] static result<names> open(sqlite::connection& db, std::string_view table);
    /// Empty when there is none, which only a damaged file brings about.
    [[nodiscard]] std::string_view text_of(std::int64_t id);
    /// Bounds the memory; not to be called while views are in use.
    void make_room();

   private:
    sqlite::statement find_;
    std::unordered_map<std::int64_t, std::string> known_;
  };

  [[nodiscard]] result<page> read_page(const offset& after, const std::optional<std::string_view>& topic,
                                       std::size_t limit, const entry_sink& each);
  [[nodiscard]] result<void> check(const offset& after, const log_state& now) const;
  [[nodiscard]] bool decode_routes(std::string_view blob);

  // Statements refer to the connection by its address, so it stays where it is when the reader moves.
  std::unique_ptr<sqlite::connection> db_;
  names names_;
  names topics_;
  sqlite::statement begin_;
  sqlite::statement end_;
  sqlite::statement all_;
  sqlite::statement of_topic_;
  sqlite::statement find_topic_;
  sqlite::statement find_state_;
  std::vector<log_route> routes_;
};

}  // namespace herald::detail
