#pragma once
// The problem: `select<tickets>(field<&Ticket::status> == "open", desc(field<&Ticket::rank>), limit{20})` must be checked by
// the compiler and become the same query that a gateway makes of names. `query_for` does that.
//
// Thread safety: functions without state. Errors: compile errors; at run time those of query.hpp.

#include <herald/action.hpp>
#include <herald/dsl/description.hpp>
#include <herald/dsl/filter.hpp>
#include <herald/query.hpp>
#include <herald/table_of.hpp>

namespace herald {

/// One page of a query's rows.
template <class T>
struct page_of {
  std::vector<T> rows;
  bool more = false;                    ///< there are rows behind it
  std::string next;                     ///< page_after{next} gives them; empty when there are none
  std::optional<std::uint64_t> count;   ///< rows in all, when with_count asked for it
};

namespace detail {

inline constexpr std::size_t default_page = 250;

/// Collects the words of one query.
template <const auto& R>
struct query_reader {
  query of{.resource = &table_of<R>};
  std::string_view keyset{};
  std::string_view tenant{};
  bool any_tenant = false;
  bool counted = false;

  template <auto M>
  static consteval std::size_t number() {
    constexpr std::size_t at = R.attribute_of(member_spelling<M>());
    static_assert(at != R.none, "herald: what is asked for here is not an attribute of the resource");
    return at == R.none ? 0 : at;
  }
  template <auto... M>
  void read(const filter_of<M...>& filter) {
    static_cast<void>(((number<M>() + ... + 0)));
    narrow(filter.is);
  }
  /// A condition made of names.
  void read(const condition& filter) { narrow(filter); }
  void read(dsl::as o) {
    if (table_of<R>.authorise_reads != nullptr) narrow(table_of<R>.authorise_reads(o.who));
  }
  template <auto M>
  void read(order_of<M> order) {
    of.order.push_back({number<M>(), order.descending});
  }
  void read(dsl::limit o) { of.limit = o.rows; }
  void read(dsl::offset_by o) { of.offset = o.rows; }
  void read(dsl::page_after o) { keyset = o.keyset; }
  void read(dsl::with_count_option) { counted = true; }
  void read(dsl::for_tenant o) { tenant = o.name; }
  void read(dsl::all_tenants_option) { any_tenant = true; }
  template <class Other>
  void read(const Other&) {
    static_assert(!std::is_same_v<Other, Other>,
                  "herald: a query takes filters, asc(...), desc(...), limit, offset_by, page_after, with_count, for_tenant, "
                  "all_tenants, as");
  }
  void narrow(const condition& by) {
    of.where = of.where.what() == condition::form::everything ? by : condition::all_of({of.where, by});
  }
  [[nodiscard]] result<void> finish() {
    if (auto ready = complete(of, tenant, any_tenant); !ready) return ready;
    return keyset.empty() ? result<void>{} : begin_after(of, keyset);
  }
};

template <const auto& R, class Part>
consteval bool shows_a_secret(const Part*) {
  return false;
}
template <const auto& R, auto M>
consteval bool shows_a_secret(const order_of<M>*) {
  constexpr std::size_t at = R.attribute_of(member_spelling<M>());
  if constexpr (at != R.none) {
    return R.attributes[at].sensitive;
  } else {
    return false;
  }
}

}  // namespace detail

/// A query as stores take it.
template <const auto& Resource, class... Parts>
[[nodiscard]] result<query> query_for(const Parts&... parts) {
  detail::query_reader<Resource> reader;
  (reader.read(parts), ...);
  if (auto ready = reader.finish(); !ready) return ready.error();
  return std::move(reader.of);
}

/// The rows of a query inside a transaction, which sees what it did itself. For hooks and functions given to transact.
template <const auto& Resource, class... Parts>
[[nodiscard]] result<std::vector<detail::row_type<Resource>>> select(transaction& tx, const Parts&... parts) {
  using row = detail::row_type<Resource>;
  detail::query_reader<Resource> wanted;
  (wanted.read(parts), ...);
  // The rows of the action that asks.
  if (const action_request* const running = tx.running(); running != nullptr && wanted.tenant.empty()) {
    wanted.tenant = running->tenant;
    wanted.any_tenant = wanted.any_tenant || running->all_tenants;
  }
  if (auto ready = wanted.finish(); !ready) return ready.error();
  std::vector<row> rows;
  auto done = tx.select(wanted.of, [&](const record& one) { rows.push_back(*static_cast<const row*>(one.row())); });
  if (!done) return done.error();
  return rows;
}

}  // namespace herald
