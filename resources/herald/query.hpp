#pragma once
// The problem: reading rows means: which ones, in which order, how many, and where the last page ended. A `query` says it as
// data, for every store; typed code makes one from words (<herald/typed_query.hpp>).
//
// The primary key always ends the order, so it is total: pages neither repeat nor miss a row that does not move. A keyset is
// the place after a page's last row, as opaque text; it belongs to one order. It is not secret: it holds the values that
// the row is sorted by, so a page is never sorted by a sensitive attribute.
//
// Nulls come before everything else. Thread safety: distinct objects: safe. Errors: invalid_keyset, tenant_required.

#include <herald/condition.hpp>

namespace herald {

struct query {
  struct order_part {
    std::size_t attribute = 0;
    bool descending = false;
  };

  const resource_table* resource = nullptr;
  condition where{};
  std::vector<order_part> order{};
  std::optional<std::size_t> limit{};  // none: all
  std::size_t offset = 0;              // rows left out at the beginning
};

/// Makes a query ready for a store: attributes found, the primary key at the end of the order, and only the tenant's rows.
[[nodiscard]] result<void> complete(query& of, std::string_view tenant, bool all_tenants);
/// The place after a row, in the order of a complete query.
[[nodiscard]] std::string keyset_after(const query& of, const record& last);
/// Lets a complete query begin behind a place.
[[nodiscard]] result<void> begin_after(query& of, std::string_view keyset);
/// Whether one row comes before another.
[[nodiscard]] bool comes_before(const query& of, const record& left, const record& right);

}  // namespace herald
