#pragma once
// The problem: rows and events must commit together, whatever the store. The action engine therefore works against this
// small interface, which a store implements for the time of one savepoint: whatever the engine did through it is kept
// when the store releases the savepoint, and is gone when it rolls back.
//
// Who implements what: a store implements `transaction` (rows, numbering of events); its writer calls
// `apply(transaction&, action_request)` (<herald/action.hpp>) inside a savepoint and rolls back when that fails.
// The engine never commits, never publishes, never keeps the transaction.
//
// Expected of a store:
//  - find gives an empty record when there is no such row (not an error).
//  - insert answers resource_errc::taken when the key exists.
//  - find_by gives the row that shares an identity with the one given; none where a null makes it distinct.
//  - update is called only when something changed, never with a changed primary key; erase only for a row that find gave.
//    Both see the row as find gave it: nobody else writes between the two.
//  - append numbers the event (event.at), keeps it in the log in this transaction, and keeps the pointer for the hand-over
//    after COMMIT. A rolled-back number is used again: the log has no gaps.
//  - now() is the same for the whole batch or action, and never goes back; new_uuid() grows.
//  - insert and update answer resource_errc::taken with a field error "has already been taken" per attribute of the identity.
//  - cursors are kept and dropped in this transaction; cursor() sees what it did.
//  - savepoint, release and rollback_to nest: an action inside an action takes one, and a roll-back forgets its events too.
//  - next_integer gives 1 above the largest key ever given for the resource, also over restarts.
// Errors are those of resource_errc. An exception is a bug and rolls back as an error does.
//
// Thread safety: none; the writer only. Lifetime: until the store says commit or roll back.

#include <herald/consumer_cursor.hpp>
#include <herald/event_record.hpp>
#include <herald/resource_error.hpp>

#include <functional>

namespace herald {

struct action_request;
struct query;  // <herald/query.hpp>

class transaction {
 public:
  transaction() = default;
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;
  virtual ~transaction() = default;

  [[nodiscard]] virtual result<record> find(const resource_table& resource, const row_key& key) = 0;
  [[nodiscard]] virtual result<record> find_by(const resource_table& resource, std::size_t identity, const record& like) = 0;
  /// The rows of a complete query, in its order; `each` must not write.
  virtual result<void> select(const query& of, const std::function<void(const record&)>& each) = 0;
  /// The store's resources.
  [[nodiscard]] virtual std::span<const resource_table* const> tables() const noexcept = 0;
  virtual result<void> insert(const record& row) = 0;
  virtual result<void> update(const record& before, const record& after, detail::attribute_mask changed) = 0;
  virtual result<void> erase(const record& row) = 0;
  virtual result<void> append(std::shared_ptr<event_record> event) = 0;

  /// A durable consumer's cursor; none when it has none.
  [[nodiscard]] virtual result<std::optional<consumer_cursor>> cursor(std::string_view consumer) = 0;
  virtual result<void> keep_cursor(std::string_view consumer, const consumer_cursor& what) = 0;
  virtual result<void> drop_cursor(std::string_view consumer) = 0;

  virtual result<void> savepoint() = 0;
  virtual result<void> release() = 0;
  virtual result<void> rollback_to() = 0;

  [[nodiscard]] virtual timestamp now() = 0;
  [[nodiscard]] virtual uuid new_uuid() = 0;
  [[nodiscard]] virtual result<std::int64_t> next_integer(const resource_table& resource) = 0;

  /// Runs `function` on the writer once all is committed, before the callers are answered; never when what it belongs to is
  /// rolled back. It must be short. What it throws changes nothing; the store reports it.
  void after_commit(std::function<void()> function) { after_commit_.push_back(std::move(function)); }
  /// Does work() between savepoint and release; when it gives false or throws, all of it is undone, and nothing else.
  template <class F>
  result<void> attempt(F&& work) {
    if (auto begun = savepoint(); !begun) return begun;
    const std::size_t mark = after_commit_.size();
    bool kept = false;
    try {
      kept = work();
    } catch (...) {
      after_commit_.resize(mark);
      static_cast<void>(rollback_to());
      throw;
    }
    if (kept) return release();
    after_commit_.resize(mark);
    return rollback_to();
  }

  // For the engine and the store's writer.
  [[nodiscard]] std::vector<std::function<void()>>& commit_hooks() noexcept { return after_commit_; }
  /// The action in hand; nested ones take its tenant and actor over.
  [[nodiscard]] const action_request* running() const noexcept { return running_; }
  const action_request* set_running(const action_request* now) noexcept { return std::exchange(running_, now); }

  /// How many actions run inside each other.
  [[nodiscard]] std::size_t& depth() noexcept { return depth_; }
  /// The rows that are being destroyed, with those that belong to them.
  [[nodiscard]] std::vector<record>& leaving() noexcept { return leaving_; }

 private:
  std::vector<std::function<void()>> after_commit_;
  std::vector<record> leaving_;
  std::size_t depth_ = 0;
  const action_request* running_ = nullptr;
};

}  // namespace herald
