#pragma once
// The problem: the store's contract without a disk, for tests, caches and simulations: the same numbering, roll-backs,
// identities, log and floor, at the speed of memory.
//
// A transaction changes the tables in place; readers are kept out from begin to commit, so nobody sees half a batch.
//
// Private. Thread safety: as `storage` says; begin and commit or rollback are called on one thread.

#include "memory_rows.hpp"
#include "writer_clock.hpp"

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <unordered_map>

namespace herald::detail {

class memory_storage final : public storage {
 public:
  [[nodiscard]] static result<std::shared_ptr<storage>> open(std::vector<const resource_table*> tables,
                                                             const memory_options& options);
  memory_storage(std::vector<const resource_table*> tables, const memory_options& options);

  [[nodiscard]] std::string_view name() const noexcept override { return "memory store"; }
  [[nodiscard]] std::span<const resource_table* const> tables() const noexcept override { return index_.all(); }

  [[nodiscard]] result<void> begin() override;
  [[nodiscard]] transaction& writing() override { return inside_; }
  [[nodiscard]] std::span<const event_ptr> written() const noexcept override { return written_; }
  [[nodiscard]] bool in_transaction() const noexcept override { return writing_.owns_lock(); }
  [[nodiscard]] result<void> write_events() override { return {}; }
  [[nodiscard]] result<void> commit() override;
  void rollback() noexcept override;
  [[nodiscard]] store_capabilities capabilities() const noexcept override { return {.kind = "memory"}; }
  [[nodiscard]] std::chrono::nanoseconds patience() const noexcept override { return {}; }
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
  [[nodiscard]] result<std::vector<std::string>> check_itself() override { return std::vector<std::string>{}; }

 private:
  /// What actions see. Its own class, since its find sees what the transaction did, and the readers' one does not.
  class inside final : public transaction {
   public:
    explicit inside(memory_storage& owner) : owner_{owner} {}
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
    memory_storage& owner_;
  };
  struct mark {
    std::size_t rows;
    std::size_t events;
    std::size_t cursors;
  };

  [[nodiscard]] bool is_writer() const noexcept { return writer_.load(std::memory_order_relaxed) == std::this_thread::get_id(); }
  void drop_events(std::size_t count);
  void keep_events();
  [[nodiscard]] std::uint64_t weight_of(const event_record& event) const;

  table_index index_;
  memory_rows rows_;
  writer_clock clock_;
  std::size_t keep_events_;
  log_retention retention_;
  std::uint64_t epoch_;
  inside inside_;

  mutable std::shared_mutex mutex_;  // guards rows_ and log_
  std::unique_lock<std::shared_mutex> writing_;
  std::atomic<std::thread::id> writer_;
  std::deque<event_ptr> log_;  // null: superseded
  std::uint64_t bytes_ = 0;
  std::map<const resource_table*, std::unordered_map<row_key, std::uint64_t>> newest_of_key_;  // compacted ones
  std::deque<std::pair<std::uint64_t, std::uint64_t>> superseded_;  // an event, and the newer one of its key
  std::atomic<std::uint64_t> compacted_ = 0;
  std::vector<event_ptr> written_;
  std::vector<mark> savepoints_;
  std::map<std::string, consumer_cursor, std::less<>> cursors_;
  std::vector<std::pair<std::string, std::optional<consumer_cursor>>> written_cursors_;
  std::atomic<std::uint64_t> head_ = 0;
  std::atomic<std::uint64_t> floor_ = 1;
};

}  // namespace herald::detail
