#pragma once
// The problem: `bulk_update<tickets, "close">(field<&Ticket::status> == "open", field<&Closing::reason> = "old")` names rows by a
// filter and gives the action its inputs in one list of words; each word must find its way, checked by the compiler.
//
// Thread safety: functions without state. Errors: compile errors; at run time those of query.hpp.

#include <herald/bulk.hpp>
#include <herald/typed_query.hpp>
#include <herald/typed_request.hpp>

namespace herald::detail {

template <const auto& R, fixed_string Action, class... Words>
[[nodiscard]] result<bulk_run> bulk_of_rows(Words&&... words) {
  constexpr std::uint16_t number = action_number<R, Action>();
  static_assert(R.actions[number].kind != op::create, "herald: a filter names rows that are there: it takes an update or a destroy");
  query_reader<R> rows;
  request_reader<R, number> inputs;
  bulk_options options;
  action_options said;
  const auto sort = [&]<class W>(W&& word) {
    using bare = std::remove_cvref_t<W>;
    if constexpr (std::is_same_v<bare, bulk_options>) {
      options = word;
    } else if constexpr (std::is_same_v<bare, action_options>) {
      said = std::forward<W>(word);
    } else if constexpr (is_argument<bare>) {
      inputs.add(std::forward<W>(word));
    } else {
      rows.read(word);
    }
  };
  (sort(std::forward<Words>(words)), ...);
  if (!rows.tenant.empty()) said.tenant = std::string{rows.tenant};
  said.all_tenants = said.all_tenants || rows.any_tenant;
  if (rows.of.limit || rows.of.offset != 0 || !rows.of.order.empty() || !rows.keyset.empty())
    return error{resource_errc::invalid, "a bulk action takes every row that its filter means, in the order of the key: no order, limit, "
                                         "offset_by or page_after"};
  if (auto ready = complete(rows.of, said.tenant, said.all_tenants); !ready) return ready.error();
  inputs.add(std::move(said));
  return bulk_run{std::move(rows.of), std::move(inputs).finish(), options};
}

}  // namespace herald::detail
