#pragma once
// The problem: thousands of actions should not wait for the disk one by one, and yet each must be checked, hooked and told as if
// it were alone; and who asks must know which of them failed. A bulk action runs many requests in batches, each batch one
// transaction, through the same code as a single action.
//
//   auto done = store.bulk(lines, [](const line& l) {
//     return request_for<tickets, "open">(field<&Ticket::subject> = l.text); }, bulk_options{.batch_size = 500});
//   auto closed = store.bulk_update<tickets, "close">(field<&Ticket::status> == "open", field<&Closing::reason> = "old");
//
// stop (the default): the first failure undoes its batch and ends the bulk; what earlier batches did stays. go_on: a failed
// one is undone alone, and all others run. all_or_nothing: one transaction for everything, undone at the first failure.
// Nothing at all is a success. From a plain thread, the items of the next batch are asked for while the writer is at the one before.
//
// With a filter, rows are looked for inside the batch's own transaction, so exactly those change that the filter means then.
//
// Thread safety: plain values. Bounds: batch_size actions a transaction, and keep_errors errors kept.
// The idea: Ash's bulk actions.

#include <herald/action.hpp>

#include <exception>
#include <functional>

namespace herald {

struct query;  // <herald/query.hpp>

enum class bulk_errors : std::uint8_t { stop, go_on };

struct bulk_options {
  std::size_t batch_size = 100;              ///< actions a transaction
  bulk_errors on_error = bulk_errors::stop;
  bool all_or_nothing = false;               ///< one transaction for everything; it must fit into memory
  bool return_records = false;
  bool return_events = false;
  std::size_t keep_errors = 100;             ///< how many errors the result holds; all are counted
  std::chrono::milliseconds limit{30'000};   ///< for each batch
};

struct bulk_error {
  std::size_t index;  ///< which of the requests; with a filter: which of the rows
  error why;
};

enum class bulk_status : std::uint8_t { success, partial_success, failure };

struct bulk_result {
  std::uint64_t created = 0, updated = 0, destroyed = 0, unchanged = 0;
  std::uint64_t failed = 0;        ///< with go_on, each input is counted either here or among the done
  std::vector<record> records{};   ///< as left over, in the order of the requests, when asked for
  std::vector<event_ptr> events{};  ///< the same; those of nested actions are not among them
  std::vector<bulk_error> errors{};

  [[nodiscard]] std::uint64_t done() const noexcept { return created + updated + destroyed + unchanged; }
  [[nodiscard]] bulk_status status() const noexcept {
    if (failed == 0) return bulk_status::success;
    return done() == 0 ? bulk_status::failure : bulk_status::partial_success;
  }
};

namespace detail {

/// One bulk on its way: gives a function for one transaction after the other, and takes in what became of each.
class bulk_run {
 public:
  using source = std::function<std::optional<action_request>()>;
  using batch_function = std::function<result<action_outcome>(transaction&)>;

  bulk_run(source from, bulk_options options);
  /// Of the rows of a complete query, sorted by key, each by this request.
  bulk_run(query rows, action_request each, bulk_options options);

  /// The next transaction; empty when there is none.
  [[nodiscard]] batch_function next();
  void take(const result<action_outcome>& outcome);
  /// Makes the requests that next() will want and frees those that are done, while the writer is at those between. What a source
  /// throws here, next() throws.
  void prepare() noexcept;
  [[nodiscard]] bulk_result& so_far() noexcept { return all_; }
  [[nodiscard]] std::chrono::milliseconds limit() const noexcept { return terms_.options.limit; }

 private:
  /// What one batch is to do and did. Its transaction may run twice; each begins anew.
  struct batch {
    std::vector<action_request> requests;
    std::size_t first = 0;  // index of the first request
    std::size_t planned = 1;  // how many a source gave; of a filter, nobody knows before it ran
    bulk_result done{};  // but for its failures
    std::vector<bulk_error> errors;
    std::optional<row_key> last;
    bool whole = true;  // false: the rows of the query have come to their end
    void note(const action_outcome& one, const bulk_options& options);
  };
  /// What a batch needs to know; it may outlive a caller that has given up waiting.
  struct terms {
    std::shared_ptr<const query> rows;
    action_request each;
    bulk_options options;
    std::optional<row_key> last;
    [[nodiscard]] std::size_t batch_size() const noexcept;
  };
  /// What the source gives for one transaction; null when that is nothing.
  [[nodiscard]] std::shared_ptr<batch> gather();
  void fail(std::size_t first, std::size_t count, const error& why);
  [[nodiscard]] static result<action_outcome> run(const terms& by, transaction& tx, batch& of);
  [[nodiscard]] static result<void> look_for_rows(const terms& by, transaction& tx, batch& of);

  source from_;
  terms terms_;
  bulk_result all_;
  std::shared_ptr<batch> in_hand_;
  std::shared_ptr<batch> prepared_;
  std::shared_ptr<batch> spent_;  // still to be freed, which takes as long as making one
  std::exception_ptr trouble_;    // what the source threw while a batch was prepared
  std::size_t index_ = 0;
  bool drained_ = false;  // the source has no more
  bool ended_ = false;
};

}  // namespace detail

}  // namespace herald
