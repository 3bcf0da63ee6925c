#pragma once
// The problem: the writer, the readers, the log's followers and `verify` must treat every store alike. `storage` is what a
// store is to them: one transaction at a time for its writer, and reading beside it for everybody.
//
// The writer's half (begin, writing, commit, rollback, trim) belongs to one thread at a time; the readers' half may be
// called from any thread at any time and sees only what is committed. Reading from inside an action of the same storage is
// refused with `would_block`: there, the transaction's own find is the one that sees what the action did.
//
// Private. Lifetime: held by shared_ptr; closing is the destructor. Errors: values (resource_errc).

#include <herald/event_record.hpp>
#include <herald/store_capabilities.hpp>
#include <herald/transaction.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace herald::detail {

/// A stretch of the log.
struct log_page {
  std::vector<event_ptr> events;
  offset last;  ///< go on reading from here; beyond the last event where the rest is of other topics or resources
  offset head;  ///< the log's newest event when the page was read
};

class storage {
 public:
  storage() = default;
  storage(const storage&) = delete;
  storage& operator=(const storage&) = delete;
  virtual ~storage() = default;

  /// For messages: "store file 'x'", "memory store".
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  [[nodiscard]] virtual std::span<const resource_table* const> tables() const noexcept = 0;
  [[nodiscard]] virtual store_capabilities capabilities() const noexcept = 0;

  // The writer's half.
  [[nodiscard]] virtual result<void> begin() = 0;
  /// Valid between begin and commit or rollback.
  [[nodiscard]] virtual transaction& writing() = 0;
  /// The transaction's events so far, in the order of their sequences.
  [[nodiscard]] virtual std::span<const event_ptr> written() const noexcept = 0;
  /// False once a full disk, an I/O error or lack of memory has ended the transaction unasked.
  [[nodiscard]] virtual bool in_transaction() const noexcept = 0;
  /// Writes the transaction's events to where the log is kept. On failure the transaction is rolled back, and its actions may
  /// run again, each alone.
  [[nodiscard]] virtual result<void> write_events() = 0;
  /// After write_events. On failure the transaction is rolled back.
  [[nodiscard]] virtual result<void> commit() = 0;
  virtual void rollback() noexcept = 0;
  /// How long a COMMIT may be put off so that more actions share it: a part of what one costs. 0: not at all.
  [[nodiscard]] virtual std::chrono::nanoseconds patience() const noexcept = 0;
  /// Drops the events up to `sequence`, at most `limit` of them, and raises the floor. Gives how many went.
  [[nodiscard]] virtual result<std::size_t> trim(std::uint64_t sequence, std::size_t limit) = 0;

  /// Drops at most `limit` events that a newer one of the same key, not above `newest`, has superseded, of the resources
  /// that are compacted. Gives how many went.
  [[nodiscard]] virtual result<std::size_t> compact(std::uint64_t newest, std::size_t limit) = 0;
  /// The time of the first event that is there from this sequence on; none above the head.
  [[nodiscard]] virtual result<std::optional<timestamp>> time_of(std::uint64_t sequence) = 0;
  /// What the store's clock says now.
  [[nodiscard]] virtual timestamp time_now() = 0;
  /// What the log's events weigh; 0 where no bound asks for it.
  [[nodiscard]] virtual std::uint64_t log_bytes() const noexcept = 0;

  // The readers' half.
  [[nodiscard]] virtual result<record> find(const resource_table& resource, const row_key& key) = 0;
  /// All rows of a resource, and the offset at which they were so.
  [[nodiscard]] virtual result<offset> scan(const resource_table& resource,
                                            const std::function<void(const record&)>& each) = 0;
  /// The rows of a complete query, in its order, and the offset at which they were so.
  [[nodiscard]] virtual result<offset> select(const query& of, const std::function<void(const record&)>& each) = 0;
  /// How many rows its condition means.
  [[nodiscard]] virtual result<std::uint64_t> count(const query& of) = 0;
  /// At most `limit` events after the offset, of one topic or of all. `gone` when the log cannot be continued from there.
  [[nodiscard]] virtual result<log_page> read(const offset& after, std::size_t limit,
                                              const std::optional<std::string_view>& topic) = 0;
  /// The cursors of the durable consumers, by name.
  [[nodiscard]] virtual result<std::vector<named_cursor>> cursors() = 0;
  [[nodiscard]] virtual offset head() const noexcept = 0;
  /// The lowest sequence that the log still has.
  [[nodiscard]] virtual std::uint64_t floor() const noexcept = 0;
  /// Up to here events may be missing, since newer ones of their keys have superseded them. 0: none is.
  [[nodiscard]] virtual std::uint64_t compacted() const noexcept = 0;
  /// Copies the store as it is at one moment, while it is written; refused where that is none of its capabilities.
  [[nodiscard]] virtual result<void> backup(const std::string& to);
  /// What only this kind of store can check about itself; a sentence for each fault.
  [[nodiscard]] virtual result<std::vector<std::string>> check_itself() = 0;
};

/// Refuses descriptions that cannot live in one store: two of one name, too many, a reserved name.
[[nodiscard]] result<void> check_tables(std::span<const resource_table* const> tables);
[[nodiscard]] error unknown_resource(std::string_view store, const resource_table& resource);
[[nodiscard]] error already_taken(const resource_table& resource, const record& row, attribute_mask attributes,
                                  std::string_view identity);
[[nodiscard]] error reading_inside(std::string_view store);
/// Generated keys have reached the last integer.
[[nodiscard]] error no_key_left(const resource_table& resource);
[[nodiscard]] error offset_gone(std::string_view store, const offset& asked, const offset& head, std::uint64_t floor);

/// Where a resource stands in a storage's list; npos when it is not there.
class table_index {
 public:
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
  explicit table_index(std::vector<const resource_table*> tables) : tables_{std::move(tables)} {}
  [[nodiscard]] std::size_t of(const resource_table& table) const noexcept {
    for (std::size_t i = 0; i < tables_.size(); ++i) {
      if (tables_[i] == &table) return i;
    }
    return npos;
  }
  [[nodiscard]] std::span<const resource_table* const> all() const noexcept { return tables_; }
  [[nodiscard]] const resource_table* by_name(std::string_view name) const noexcept;

 private:
  std::vector<const resource_table*> tables_;
};

}  // namespace herald::detail
