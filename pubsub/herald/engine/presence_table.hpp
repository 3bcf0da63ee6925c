#pragma once
// The inside of a presence: topics in shards, each with its keys; and for each process that is tracked, what it has. A
// change of a topic and its announcement are one step under the shard's lock, so that all subscribers see one order, and a
// list and the changes fit together.
//
// Locks, in this order: the owner's list (names.hpp), the table of owners or a shard, the bus's own. User code runs under
// none of them: metas are made before and end afterwards.
//
// A row belongs to its owner, which frees it; the line links it. Closing the presence unlinks all rows; their owners keep
// them, linked to nothing, until they end or track the same again.

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <herald/bus.hpp>
#include <herald/engine/core.hpp>
#include <herald/presence.hpp>

namespace herald::engine {

struct presence_line;
class presence_owner;

struct text_hash {
  using is_transparent = void;
  [[nodiscard]] std::size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>{}(s); }
};

/// The rows of one key in the order of coming.
struct presence_row;
struct presence_rows {
  presence_row* first = nullptr;
  presence_row* last = nullptr;
  std::size_t size = 0;
};

struct presence_row {
  std::string topic;
  presence_ptr entry;
  presence_line* line = nullptr;  ///< null: unlinked; under the shard's lock
  std::map<std::string, presence_rows, std::less<>>::iterator key;
  presence_row* earlier = nullptr;
  presence_row* later = nullptr;
};

struct presence_line {
  explicit presence_line(herald::topic where) : told_on{std::move(where)} {}
  herald::topic told_on;
  std::map<std::string, presence_rows, std::less<>> keys;
  std::size_t size = 0;
  std::uint64_t version = 0;
};

class presence_table final : public std::enable_shared_from_this<presence_table> {
 public:
  presence_table(core& system, std::string name, const presence_kind& kind);
  ~presence_table();
  presence_table(const presence_table&) = delete;
  presence_table& operator=(const presence_table&) = delete;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const presence_kind& kind() const noexcept { return *kind_; }

  void open(const presence_options& options, herald::bus where);
  /// All who are there leave, which is told.
  void close() noexcept;
  [[nodiscard]] bool is_open() const noexcept { return open_.load(std::memory_order_acquire); }
  /// The application has ended.
  void shut() noexcept { shut_.store(true, std::memory_order_release); }
  [[nodiscard]] result<herald::bus> where() const;
  /// Why nothing can be done now, if so.
  [[nodiscard]] std::optional<error> unusable() const;
  [[nodiscard]] error not_tracked(std::string_view topic, std::string_view key) const;

  // For a process, under the lock of its list.
  [[nodiscard]] result<presence_ref> track(owners::list& owned, cell& who, std::string_view topic,
                                           const std::shared_ptr<presence_base>& fresh);
  /// What it has there now; null: nothing.
  [[nodiscard]] presence_ptr find(cell& who, std::string_view topic, std::string_view key);
  /// Replaces it; `gone` is for the caller to end after the locks.
  [[nodiscard]] result<presence_ref> update(cell& who, std::string_view topic, const std::shared_ptr<presence_base>& fresh,
                                            presence_ptr& gone);
  std::size_t untrack(cell& who, const std::string_view* topic, std::string_view key, std::vector<presence_ptr>& gone);
  /// The owner's life is over; nobody else has its rows any more.
  void owner_ended(presence_owner& owner) noexcept;

  [[nodiscard]] presence_found read(std::string_view topic, const std::string_view* key) const;
  [[nodiscard]] std::size_t count(std::string_view topic, const std::string_view* key) const;
  [[nodiscard]] std::size_t total() const noexcept { return total_.load(std::memory_order_relaxed); }

 private:
  struct alignas(64) shard {
    mutable std::shared_mutex mutex;
    std::unordered_map<std::string, std::unique_ptr<presence_line>, text_hash, std::equal_to<>> lines;
    std::uint64_t version = 0;
  };
  struct alignas(64) owner_shard {
    std::mutex mutex;
    std::unordered_map<const cell*, presence_owner*> owners;
  };
  [[nodiscard]] shard& shard_of(std::string_view topic) noexcept { return shards_[text_hash{}(topic) % shards_.size()]; }
  [[nodiscard]] const shard& shard_of(std::string_view topic) const noexcept {
    return shards_[text_hash{}(topic) % shards_.size()];
  }
  [[nodiscard]] owner_shard& owners_at(const cell& c) noexcept {
    return owners_[(reinterpret_cast<std::uintptr_t>(&c) >> 6) % owners_.size()];
  }
  [[nodiscard]] presence_owner* owner_of(const cell& c);
  [[nodiscard]] presence_owner& make_owner(owners::list& owned, cell& c);
  /// One row leaves its line, under the shard's lock.
  static void unlink(presence_row& row) noexcept;
  /// Rows of one topic leave, and are told of as one change.
  std::size_t leave(std::string_view topic, const std::vector<presence_row*>& rows, std::vector<presence_ptr>& gone);
  [[nodiscard]] std::size_t leave_all(presence_owner& owner, std::vector<presence_ptr>& gone);
  void announce(shard& s, std::string_view topic, presence_line& line, std::vector<presence_ptr> joins,
                std::vector<presence_ptr> leaves);
  [[nodiscard]] error absent() const;

  const std::string name_;
  const presence_kind* kind_;
  const std::uint64_t tracker_;
  std::atomic<std::uint64_t> numbers_{0};
  std::atomic<std::size_t> total_{0};
  std::atomic<bool> open_{false};
  std::atomic<bool> shut_{false};
  std::atomic<bool> announces_{true};
  std::atomic<std::uint32_t> most_{0};
  mutable std::mutex bus_mutex_;
  std::optional<herald::bus> bus_;
  std::array<shard, 16> shards_;
  std::array<owner_shard, 16> owners_;
};

/// What one life of a process has in one presence. Its rows are touched under the lock of the process's list, or by its end.
class presence_owner final : public owned_thing {
 public:
  explicit presence_owner(std::shared_ptr<presence_table> in) noexcept : table{std::move(in)} {}
  void owner_ended() noexcept override {
    const std::unique_ptr<presence_owner> self{this};
    table->owner_ended(*this);
  }
  const std::shared_ptr<presence_table> table;
  /// By topic, then a control character, then key: topics have none.
  std::unordered_map<std::string, presence_row, text_hash, std::equal_to<>> rows;
};

}  // namespace herald::engine
