#pragma once
// The problem: some transactions cannot be written as one function that runs on the store's writer: what comes next is decided
// outside, between two actions. A leased transaction is an object: while it is open, the writer waits for its next step, and
// nobody else writes; so the lease has a limit (1 s), after which everything is undone and every step answers tx_expired.
//
//   auto tx = herald::lease(store);                                 // result<leased_transaction>
//   auto made = tx->run<tickets, "open">(field<&Ticket::subject> = "printer");
//   auto left = tx->with([](herald::transaction& inside) { return herald::select<tickets>(inside); });
//   auto kept = tx->commit();                                       // or rollback(); the destructor rolls back
//
// Prefer store::transact wherever a function will do: it holds the writer for microseconds.
//
// Thread safety: one thread at a time. For plain threads; `would_block` inside a handler: there, use store::transact with
// a continuation, or lease on a thread of the pool (`self.offload([store] { ... lease(store) ... }, limit, then)`), which waits in
// the process's place; not in a simulation, whose only thread would wait for itself. Errors: tx_expired; `unavailable` when the batch
// it was in could not be kept; `timeout` when the writer did not come to it, or to the end of its COMMIT, within `wait`. Limits: each
// wait has one, but a step takes what its function takes.

#include <herald/store.hpp>

#include <thread>

namespace herald {

namespace detail {
class lease_state;
}

/// While it is open nobody else writes. A memory store's writer runs on a worker, so a lease longer than the application's overrun
/// limit is reported as such; on SQLite the writer has a thread of its own.
class leased_transaction {
 public:
  leased_transaction(leased_transaction&&) noexcept;
  leased_transaction& operator=(leased_transaction&&) = delete;
  ~leased_transaction();

  /// An action; a failed one is undone alone, and the transaction goes on.
  template <const auto& Resource, detail::fixed_string Action, class... Args>
  [[nodiscard]] result<detail::row_type<Resource>> run(Args&&... args) {
    return with([&](transaction& tx) { return herald::run<Resource, Action>(tx, std::forward<Args>(args)...); });
  }
  /// Any step: the function runs on the writer, in this transaction, and gives a result. A step that fails or throws is undone as a
  /// whole, and the transaction goes on. Pieces that are undone alone: `herald::transact(tx, ...)` inside.
  template <class F>
  [[nodiscard]] auto with(F&& function) -> std::invoke_result_t<F&, transaction&> {
    std::optional<std::invoke_result_t<F&, transaction&>> answer;
    auto done = step([&](transaction& tx) {
      auto kept = tx.attempt([&] {
        answer.emplace(function(tx));
        return static_cast<bool>(*answer);
      });
      if (!kept) answer.emplace(kept.error());
    });
    if (!done) return done.error();
    return std::move(*answer);
  }
  [[nodiscard]] result<void> commit();
  void rollback();

 private:
  friend result<leased_transaction> lease(const store& of, std::chrono::milliseconds limit, std::chrono::milliseconds wait);
  explicit leased_transaction(std::shared_ptr<detail::lease_state> state) : state_{std::move(state)} {}
  [[nodiscard]] result<void> step(const std::function<void(transaction&)>& function);

  std::shared_ptr<detail::lease_state> state_;
  std::thread writer_;  // where the store has no writer process
};

/// Waits for the writer for at most `wait`, and holds it for at most `limit`. A commit waits as long for the disk.
[[nodiscard]] result<leased_transaction> lease(const store& of, std::chrono::milliseconds limit = std::chrono::seconds{1},
                                               std::chrono::milliseconds wait = default_call_limit);

}  // namespace herald
