#pragma once
// The problem: an action is asked for in one place (typed code, a call by name, a gateway) and happens in another (the
// store's writer, inside a transaction). `action_request` is what travels: the action, the row's key, and the inputs, cast
// and checked where they were given. `apply` is what happens on the writer, the same for every store.
//
// Order inside `apply`: the tenant; arguments; find the row (update, destroy); version check; inputs; defaults and generated
// keys (create); authorise; the action's changes and validations in the order of their definition; required attributes
// and constraints; before_action hooks, and constraints again; timestamps and lock version; the row; the topics; the
// event; after_action hooks. A failure anywhere leaves an error and no event; the caller rolls back. After the transaction
// come the after_commit and after_transaction hooks: `conclude`.
//
// Thread safety: action_request, action_outcome: plain values. apply: the writer only.

#include <herald/actor.hpp>
#include <herald/transaction.hpp>

namespace herald {

struct action_request {
  const resource_table* resource = nullptr;
  std::uint16_t action = 0;              // index into resource_table::actions
  row_key key{};                         // update, destroy
  record input{};                        // a row holding the inputs; may be empty when there are none
  detail::attribute_mask given = 0;      // which attributes of `input` the caller gave
  bool from_copy = false;                // the caller named the row by a copy of it: a row that went is stale, not unknown
  std::optional<std::int64_t> version{};   // the lock version of that copy; none: whatever is there
  std::vector<value> arguments{};        // by place; null where none was given
  detail::attribute_mask arguments_given = 0;
  std::vector<field_error> wrong{};      // inputs that no value of their attribute's type stands for; not empty: it is refused
  std::string tenant{};
  bool all_tenants = false;              // update, destroy: the row may be any tenant's
  actor by{};
  std::vector<named_value> metadata{};
  bool notify = true;                    // false: the row changes, no event is written
  std::chrono::milliseconds limit{5000}; // how long its caller waits
  bool notify_unchanged = false;         // true: an update that changes nothing writes an event of kind unchanged
};

struct action_outcome {
  event_kind kind = event_kind::created;
  record before{};                       // empty on create
  record after{};                        // empty on destroy
  event_ptr event{};                     // null when none was written
  std::string hook_trouble{};            // what a hook after the transaction threw; it changes nothing of the outcome
};

namespace detail {
/// Typed code gave a number for an attribute or argument whose type does not hold it.
void note_out_of_range(action_request& request, const attribute_info& of, const value_view& number);
}  // namespace detail

/// Runs one action. On failure the transaction must be rolled back to where it was before the call.
[[nodiscard]] result<action_outcome> apply(transaction& tx, const action_request& request);

/// Runs the hooks that follow a transaction (after_commit, after_transaction), on the writer, before the caller is answered.
/// They may turn a failure into a success, and not the other way round.
void conclude(const action_request& request, result<action_outcome>& outcome);
/// The sentence that tells what such a hook threw.
[[nodiscard]] std::string trouble_of(const action_request& request, std::string_view what);

/// `apply` inside a running transaction, as an action of its own: what a failed one did is undone, the rest stays. Tenant and
/// actor are those of the action it runs in, unless it names others.
/// The result is the transaction's own trouble; the action's is in `outcome`.
result<void> run_nested(transaction& tx, const action_request& request, result<action_outcome>& outcome);

/// The number of an action, or an error that names both and lists the actions there are.
[[nodiscard]] result<std::uint16_t> action_by_name(const resource_table& resource, std::string_view action);

/// A request for an action by name, with inputs by name; refuses unknown names and values that do not fit, listing all.
[[nodiscard]] result<action_request> request_by_name(const resource_table& resource, std::string_view action,
                                                     std::span<const named_value> inputs);

}  // namespace herald
