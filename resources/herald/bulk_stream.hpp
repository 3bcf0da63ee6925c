#pragma once
// The problem: a bulk of a million requests should tell what became of the first hundred before it begins the second, and
// stop when its caller has seen enough. A bulk_stream runs one batch each time it is asked, and none before.
//
//   auto made = bulk_stream{store, lines, [](const line& l) { return request_for<tickets, "open">(...); },
//                           bulk_options{.batch_size = 100, .return_records = true}};
//   while (auto batch = made.next()) show(batch->records);
//
// Thread safety: one plain thread. Lifetime: keeps the store and the items. Errors: in each batch's result; with
// bulk_errors::stop the first failed batch is the last. The idea: Ash's bulk actions with return_stream?.

#include <herald/store.hpp>

namespace herald {

class bulk_stream {
 public:
  template <class Items, class F>
    requires std::is_invocable_r_v<action_request, F&, decltype(*std::declval<const Items&>().begin())>
  bulk_stream(store on, Items items, F request_of, bulk_options options = {})
      : on_{std::move(on)}, run_{source_of(std::make_shared<const Items>(std::move(items)), std::move(request_of)), options} {}

  /// The next batch's own result; nothing when all is done.
  [[nodiscard]] std::optional<bulk_result> next() {
    if (!on_.perform_batch(run_)) return std::nullopt;
    return std::exchange(run_.so_far(), {});
  }

 private:
  template <class Items, class F>
  static detail::bulk_run::source source_of(std::shared_ptr<const Items> items, F request_of) {
    return [items, at = items->begin(), request_of]() mutable -> std::optional<action_request> {
      if (at == items->end()) return std::nullopt;
      return request_of(*at++);
    };
  }

  store on_;
  detail::bulk_run run_;
};

}  // namespace herald
