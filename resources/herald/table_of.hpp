#pragma once
// The problem: a description is one type per resource, and everything behind the typed edge wants one type for all.
// `table_of<tickets>` is the description's erased table: what stores are opened with.
//
// Thread safety: constant. Lifetime: static; one object a program, so tables may be compared by address.

#include <herald/event.hpp>
#include <herald/engine/published.hpp>

namespace herald {

namespace detail {

/// An event of the resource as a message for the bus.
template <const auto& R>
engine::published* make_event(const event_ptr& of, std::size_t route) {
  return engine::make_published(event<R>{of, route});
}

template <const auto& R>
constexpr resource_table make_table() {
  resource_table table = R.table();
  table.message = &make_event<R>;
  return table;
}

}  // namespace detail

template <const auto& Resource>
inline constexpr resource_table table_of = detail::make_table<Resource>();

}  // namespace herald
