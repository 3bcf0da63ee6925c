#pragma once
// The problem: rows and events in one file that survives the program and the machine, written by one connection and read
// by several, without one waiting for the other (SQLite's write-ahead log). docs/formats/log.md is the file's description.
//
// Private. Thread safety: as `storage` says. Lifetime: the file's lock is held from open to the destructor.

#include "file_lock.hpp"
#include "sqlite_log.hpp"
#include "sqlite_readers.hpp"
#include "sqlite_table.hpp"
#include "sqlite_trim.hpp"
#include "storage.hpp"
#include "writer_clock.hpp"

#include <atomic>
#include <memory>
#include <thread>

namespace herald::detail {

class sqlite_storage final : public storage {
 public:
  [[nodiscard]] static result<std::shared_ptr<storage>> open(std::vector<const resource_table*> tables,
                                                             const sqlite_options& options);
  sqlite_storage(std::vector<const resource_table*> tables, const sqlite_options& options);
  ~sqlite_storage() override;

  [[nodiscard]] std::string_view name() const noexcept override { return name_; }
  [[nodiscard]] std::span<const resource_table* const> tables() const noexcept override { return index_.all(); }

  [[nodiscard]] result<void> begin() override;
  [[nodiscard]] transaction& writing() override { return inside_; }
  [[nodiscard]] std::span<const event_ptr> written() const noexcept override { return written_; }
  [[nodiscard]] bool in_transaction() const noexcept override { return db_.in_transaction(); }
  [[nodiscard]] result<void> write_events() override;
  [[nodiscard]] result<void> commit() override;
  void rollback() noexcept override;
  [[nodiscard]] store_capabilities capabilities() const noexcept override {
    return {.kind = "sqlite", .survives_program = true, .survives_machine = options_.durability == durability::full, .backup = true, .blocks = true};
  }
  [[nodiscard]] std::chrono::nanoseconds patience() const noexcept override { return commit_time_ / 2; }
  [[nodiscard]] result<std::size_t> trim(std::uint64_t sequence, std::size_t limit) override;

  [[nodiscard]] result<std::size_t> compact(std::uint64_t newest, std::size_t limit) override;
  [[nodiscard]] result<std::optional<timestamp>> time_of(std::uint64_t sequence) override;
  [[nodiscard]] timestamp time_now() override { return clock_.look(); }
  [[nodiscard]] std::uint64_t log_bytes() const noexcept override { return bytes_; }

  [[nodiscard]] result<record> find(const resource_table& resource, const row_key& key) override;
  [[nodiscard]] result<offset> scan(const resource_table& resource,
                                    const std::function<void(const record&)>& each) override;
  [[nodiscard]] result<offset> select(const query& of, const std::function<void(const record&)>& each) override;
  [[nodiscard]] result<std::uint64_t> count(const query& of) override;
  [[nodiscard]] result<log_page> read(const offset& after, std::size_t limit,
                                      const std::optional<std::string_view>& topic) override;
  [[nodiscard]] result<std::vector<named_cursor>> cursors() override;
  [[nodiscard]] offset head() const noexcept override { return {epoch_, head_.load(std::memory_order_acquire)}; }
  [[nodiscard]] std::uint64_t floor() const noexcept override { return floor_.load(std::memory_order_acquire); }
  [[nodiscard]] std::uint64_t compacted() const noexcept override { return compacted_.load(std::memory_order_acquire); }
  [[nodiscard]] result<void> backup(const std::string& to) override;
  [[nodiscard]] result<std::vector<std::string>> check_itself() override;

  /// The writer's connection, for tests that make the file fail.
  [[nodiscard]] sqlite::connection& writer_connection() noexcept { return db_; }

 private:
  /// What actions see: their own writes too.
  class inside final : public transaction {
   public:
    explicit inside(sqlite_storage& owner) : owner_{owner} {}
    result<record> find(const resource_table& resource, const row_key& key) override;
    result<record> find_by(const resource_table& resource, std::size_t identity, const record& like) override;
    result<void> select(const query& of, const std::function<void(const record&)>& each) override;
    std::span<const resource_table* const> tables() const noexcept override { return owner_.tables(); }
    result<void> insert(const record& row) override;
    result<void> update(const record& before, const record& after, attribute_mask changed) override;
    result<void> erase(const record& row) override;
    result<void> append(std::shared_ptr<event_record> event) override;
    result<std::optional<consumer_cursor>> cursor(std::string_view consumer) override;
    result<void> keep_cursor(std::string_view consumer, const consumer_cursor& what) override;
    result<void> drop_cursor(std::string_view consumer) override;
    result<void> savepoint() override;
    result<void> release() override;
    result<void> rollback_to() override;
    timestamp now() override { return owner_.clock_.now(); }
    uuid new_uuid() override { return owner_.clock_.new_uuid(); }
    result<std::int64_t> next_integer(const resource_table& resource) override;

   private:
    [[nodiscard]] result<void> check() const;
    sqlite_storage& owner_;
  };
  struct mark {
    std::size_t events;
    std::size_t rows;
    std::size_t cursors;
  };
  /// A row as it was and as it is; empty where there was or is none.
  struct written_row {
    std::size_t table;
    record before;
    record after;
    attribute_mask changed;
  };
  using written_cursor = std::pair<std::string, std::optional<consumer_cursor>>;
  /// The largest integer key ever given for a resource.
  struct counter {
    std::int64_t last = 0;
    bool changed = false;
  };

  [[nodiscard]] result<void> open_file();
  [[nodiscard]] result<void> prepare_file(bool made_before);
  [[nodiscard]] result<void> keep_layouts();
  [[nodiscard]] result<void> load_counters();
  [[nodiscard]] result<void> keep_counters();
  [[nodiscard]] result<void> prepare_statements();
  [[nodiscard]] result<void> load_retention();
  [[nodiscard]] result<std::size_t> drop(const std::function<result<log_trimmer::dropped>()>& what, std::uint64_t new_floor,
                                         std::size_t covered);
  /// Does the opposite of what was written since the mark, the newest first.
  [[nodiscard]] result<void> undo_to(const mark& back);
  [[nodiscard]] result<void> undo(const written_row& one);
  [[nodiscard]] result<void> put_cursor(std::string_view consumer, const consumer_cursor& what);
  [[nodiscard]] result<void> delete_cursor(std::string_view consumer);
  /// Remembers a cursor as it was, before it is written.
  [[nodiscard]] result<void> note_cursor(std::string_view consumer);
  [[nodiscard]] result<void> write_event(const event_record& event);
  [[nodiscard]] bool compacts(const resource_table& table) const;
  /// Remembers the newest event of a key, and that the one before is superseded.
  [[nodiscard]] result<void> note_key(const event_record& event);
  [[nodiscard]] result<void> run(sqlite::statement& statement, std::string_view doing);
  void leave_transaction() noexcept;
  void forget_savepoints() noexcept;
  [[nodiscard]] bool is_writer() const noexcept {
    return writer_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }

  sqlite_options options_;
  std::string name_;
  table_index index_;
  writer_clock clock_;
  inside inside_;
  file_lock lock_;
  sqlite::connection db_;
  log_writer log_;
  std::vector<table_writer> tables_;
  std::vector<counter> counters_;
  sqlite::statement begin_, commit_, rollback_, keep_counter_;
  sqlite::statement cursor_, keep_cursor_, drop_cursor_, time_of_, newest_of_key_, note_key_, forget_key_, note_superseded_;
  log_trimmer trimmer_;
  std::shared_ptr<layout_book> layouts_;
  std::unique_ptr<reader_pool> readers_;

  std::uint64_t epoch_ = 0;
  std::atomic<std::uint64_t> head_ = 0;
  std::atomic<std::uint64_t> floor_ = 1;
  std::atomic<std::uint64_t> compacted_ = 0;
  std::atomic<std::thread::id> writer_;
  std::vector<event_ptr> written_;
  // Savepoints are kept here and not by SQLite, which would copy each page that an action touches, once for each of them.
  std::vector<mark> savepoints_;
  std::vector<written_row> written_rows_;        // since the outermost savepoint
  std::vector<written_cursor> former_cursors_;   // the same: as they were
  std::chrono::nanoseconds commit_time_{};  // smoothed over about eight commits
  std::string key_;                         // reused from event to event
  std::uint64_t bytes_ = 0;                 // of the log's events, where a bound asks for them
  std::uint64_t written_bytes_ = 0;         // of the transaction's
};

}  // namespace herald::detail
