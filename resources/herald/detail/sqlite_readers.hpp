#pragma once
// The problem: many threads read while the writer writes, and a connection serves one at a time. A bounded pool lends them
// out; it opens one when none is free, and makes a further reader wait when all are lent. A thread that reads while it visits what it
// reads would wait for itself: it gets a further connection, above the bound, which is closed when it comes back.
//
// Private. Thread safety: reader_pool: shared objects: safe; what it lends: one thread. Lifetime: loans end before the pool.
// Errors: `unavailable` when no connection came back within 5 s.

#include "log_reader.hpp"
#include "sqlite_table.hpp"
#include "storage.hpp"

#include <herald/payload.hpp>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace herald::detail {

/// One connection with everything that is read through it.
class sqlite_reader {
 public:
  [[nodiscard]] static result<std::unique_ptr<sqlite_reader>> open(const std::string& file,
                                                                   std::chrono::milliseconds busy_limit,
                                                                   const table_index& index,
                                                                   std::shared_ptr<const layout_book> layouts);

  [[nodiscard]] result<record> find(std::size_t table, const row_key& key);
  [[nodiscard]] result<offset> scan(std::size_t table, const std::function<void(const record&)>& each);
  [[nodiscard]] result<offset> select(std::size_t table, const query& of, const std::function<void(const record&)>& each);
  [[nodiscard]] result<std::uint64_t> count(std::size_t table, const query& of);
  [[nodiscard]] result<log_page> read(const offset& after, std::size_t limit,
                                      const std::optional<std::string_view>& topic);
  [[nodiscard]] result<std::vector<named_cursor>> cursors();
  /// Compares the index of topics with what the events say; runs SQLite's own check.
  [[nodiscard]] result<std::vector<std::string>> check();

 private:
  [[nodiscard]] result<event_ptr> event_of(const stored_entry& entry, std::uint64_t epoch) const;

  const table_index* index_ = nullptr;
  std::shared_ptr<const layout_book> layouts_;
  log_reader log_;
  std::vector<table_reader> tables_;
};

class reader_pool {
 public:
  reader_pool(std::string file, std::chrono::milliseconds busy_limit, std::size_t limit, const table_index& index,
              std::shared_ptr<const layout_book> layouts)
      : file_{std::move(file)}, busy_limit_{busy_limit}, limit_{limit}, index_{index}, layouts_{std::move(layouts)} {}

  /// A reader for as long as it is held.
  class loan {
   public:
    loan(reader_pool& pool, std::unique_ptr<sqlite_reader> reader) : pool_{&pool}, reader_{std::move(reader)} {}
    loan(loan&&) = default;
    loan& operator=(loan&&) = delete;
    ~loan() {
      if (reader_) pool_->give_back(std::move(reader_));
    }
    [[nodiscard]] sqlite_reader* operator->() const noexcept { return reader_.get(); }

   private:
    reader_pool* pool_;
    std::unique_ptr<sqlite_reader> reader_;
  };

  [[nodiscard]] result<loan> take();

 private:
  void give_back(std::unique_ptr<sqlite_reader> reader) noexcept;

  std::string file_;
  std::chrono::milliseconds busy_limit_;
  std::size_t limit_;
  const table_index& index_;
  std::shared_ptr<const layout_book> layouts_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<sqlite_reader>> free_;
  std::vector<std::thread::id> lent_to_;
};

}  // namespace herald::detail
