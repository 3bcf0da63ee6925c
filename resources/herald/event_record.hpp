#pragma once
// The problem: what a committed action did must reach subscribers, the log and the wire as one thing that says
// everything: which resource and action, which row, how it was and is, which attributes changed, to which topics, when,
// for which tenant. `event_record` is that thing, erased; `herald::event<resource>` is its typed face.
//
// Who implements what: the action engine fills it; a store's `append` numbers it (`at`) inside the action's transaction;
// the notifier and the log hand it on. From then on it is constant and shared.
//
// Thread safety: shared events are constant. Lifetime: shared_ptr<const event_record>; tables are static.

#include <herald/offset.hpp>
#include <herald/record.hpp>

namespace herald {

enum class event_kind : std::uint8_t { created, updated, destroyed, unchanged };
[[nodiscard]] std::string_view to_string(event_kind kind) noexcept;

/// Stands for an action that this program's description does not have: the event was written by another version.
inline constexpr detail::action_info unknown_action{.name = "unknown"};

struct event_record {
  /// One topic, and which publication of the resource led to it (index into resource_table::publications).
  struct route {
    std::string topic;
    std::uint16_t publication = 0;
    friend bool operator==(const route&, const route&) = default;
  };

  /// A publication that could not be expanded: its filter threw. Ends as a dead letter; the event commits all the same.
  struct failed_publication {
    std::uint16_t publication = 0;
    std::string why;
  };

  offset at;                                // given by the store's append
  const resource_table* resource = nullptr;
  std::uint16_t action = 0;                 // index into resource_table::actions; beyond it: unknown_action
  event_kind kind = event_kind::created;
  row_key key;
  record before;                            // empty on create; sensitive attributes are as in a new row
  record after;                             // empty on destroy; sensitive attributes are as in a new row
  detail::attribute_mask told = ~detail::attribute_mask{0};  // which attributes of both it says; the others are as in a new row
  detail::attribute_mask changed = 0;       // create: all attributes; destroy: none
  std::vector<route> routes;                // in the order of the publications; may be empty
  std::vector<route> passing;               // of ephemeral publications: told, and not kept in the log
  std::vector<std::string> own_names;       // of routes that a hook added, see own_route
  std::uint64_t filtered = 0;               // bit n: publication n concerned it, and its filter said no; not kept in the log
  std::vector<failed_publication> failed;   // those whose filter threw; told by the notifier, not kept in the log
  timestamp time{};                         // of the transaction
  std::string tenant;                       // empty: none
  std::string actor;                        // the name of who asked for it; empty: not said
  std::vector<named_value> metadata;        // what the caller gave along

  /// A route's publication from here on: own_names[publication - own_route] is the event's name there.
  static constexpr std::uint16_t own_route = 0x8000;
  static constexpr std::uint16_t unknown_publication = 0xffff;

  /// The n-th of the routes, and behind them of the passing ones.
  [[nodiscard]] const route& route_at(std::size_t n) const noexcept {
    return n < routes.size() ? routes[n] : passing[n - routes.size()];
  }
  [[nodiscard]] std::size_t route_count() const noexcept { return routes.size() + passing.size(); }

  [[nodiscard]] const detail::action_info& action_info() const noexcept {
    return action < resource->actions.size() ? resource->actions[action] : unknown_action;
  }
  /// The event's name on a route: the publication's, else the action's.
  [[nodiscard]] std::string_view name_on(const route& on) const noexcept {
    const auto own = static_cast<std::size_t>(on.publication) - own_route;
    if (on.publication >= own_route && own < own_names.size()) return own_names[own];
    if (on.publication >= resource->publications.size()) return action_info().name;  // written by another version
    const std::string_view named = resource->publications[on.publication].name;
    return named.empty() ? action_info().name : named;
  }
};

using event_ptr = std::shared_ptr<const event_record>;

}  // namespace herald
