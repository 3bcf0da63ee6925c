#pragma once
// The problem: stores, the log, gateways and the observer must handle every resource without being templates. The DSL
// (<herald/resource.hpp>) checks a description in the compiler and leaves it as one `resource_table`: plain data and
// function pointers in read-only memory. Whoever holds the table can make, read, change, compare, store and describe
// rows of a struct it has never seen.
//
// Who implements what: the DSL makes tables; stores and the log read them (attributes, key, columns); the action engine
// reads them (actions, steps, constraints); topic expansion reads them (publications). Nobody writes them.
//
// Lists of varying length are ranges {first, count} into the table's arrays; ask the table's accessors.
// Attributes are numbered in declaration order; sets of attributes are 64-bit masks, bit n for attribute n.
//
// Thread safety: constant. Lifetime: static; tables may be kept by pointer and compared by address.

#include <herald/codec.hpp>

#include <memory>

namespace herald {

/// What an action does to its row, and what `publish_all` selects by.
enum class op : std::uint8_t { create, update, destroy };
[[nodiscard]] std::string_view to_string(op kind) noexcept;

class actor;           // <herald/actor.hpp>
class condition;       // <herald/condition.hpp>
class record;          // <herald/record.hpp>
class change_context;  // <herald/changeset.hpp>
struct check;          // <herald/changeset.hpp>
struct action_request; // <herald/action.hpp>
struct action_outcome; // <herald/action.hpp>
struct event_record;   // <herald/event_record.hpp>
template <class T>
class result;          // <herald/error.hpp>
struct resource_table;
namespace engine {
struct published;      // <herald/engine/published.hpp>
}

namespace detail {

using attribute_mask = std::uint64_t;
inline constexpr std::size_t max_attributes = 64;
[[nodiscard]] constexpr attribute_mask bit(std::size_t attribute) noexcept { return attribute_mask{1} << attribute; }

struct range {
  std::uint16_t first = 0;
  std::uint16_t count = 0;
};

/// Who fills an attribute in when the caller does not.
enum class generated : std::uint8_t { no, uuid_v7, integer };
/// Attributes the engine itself keeps up to date.
enum class attribute_role : std::uint8_t { plain, inserted_at, updated_at, lock_version, tenant };

enum class constraint_kind : std::uint8_t { min, max, min_length, max_length, one_of, matches, initial, transitions };

struct constraint {
  constraint_kind kind{};
  value_view bound{};                           // min, max; the lengths as integers
  range allowed{};                              // one_of, initial: into resource_table::values; transitions: pairs there
  bool (*accepts)(const value_view&) = nullptr;  // matches
  std::string_view message{};                   // matches
};

struct attribute_info {
  std::string_view name{};    // the member's
  std::string_view column{};  // where it is stored; the name unless column{"..."} says otherwise
  std::string_view was{};     // the column's name in older files, or empty
  const type_ops* ops = nullptr;
  const void* (*at)(const void* row) = nullptr;  // the member's address in a row
  const void* tag = nullptr;                     // identity of the member pointer at run time...
  std::string_view spelling{};                   // ...and in the compiler
  bool primary_key = false;
  bool required = false;  // a create must give it a value
  bool sensitive = false;
  detail::generated generated = generated::no;
  attribute_role role = attribute_role::plain;
  const resource_table& (*references)() = nullptr;  // the resource that the row belongs to by it
  bool refers_to_itself = false;
  std::string_view on_destroy{};                    // the action of a row whose owner is destroyed; empty: refuse that
  range constraints{};
  value_view default_value{};                     // overrides what the struct's own initialiser says; null: does not
  void (*set_default)(void* member) = nullptr;  // the same, computed

  [[nodiscard]] constexpr value_type type() const noexcept { return ops->type; }
  [[nodiscard]] constexpr bool nullable() const noexcept { return ops->nullable; }
  [[nodiscard]] value_view get(const void* row) const { return ops->get(at(row)); }
  [[nodiscard]] void* at_mutable(void* row) const { return const_cast<void*>(at(row)); }
  [[nodiscard]] cast_status set(void* row, const value_view& from) const { return ops->set(at_mutable(row), from); }
  [[nodiscard]] bool same(const void* left, const void* right) const { return ops->same(at(left), at(right)); }
  void copy(void* to, const void* from) const { ops->copy(at_mutable(to), at(from)); }
  /// Gives it its default, where that is another one than the struct's own initialiser. For every row that gets the attribute
  /// anew: a created one, one that was there when the attribute was added, one that an older program's event tells of.
  void set_initial(void* row) const {
    if (set_default != nullptr) set_default(at_mutable(row));
    if (!default_value.is_null()) static_cast<void>(set(row, default_value));
  }
};

/// An input of an action that is no attribute of the row.
struct argument_info {
  attribute_info info{};      // name, type, constraints, `required`, `sensitive`; `at` is not used
  bool by_name = true;        // false: typed code may give it, calls by name may not
  value (*initial)() = nullptr;  // when the caller gives none
  cast_status (*cast)(const value_view& from, value& to) = nullptr;
};

enum class step_kind : std::uint8_t { authorise, change, validate, before, after, done };

/// One step of an action. authorise answers; change, validate and before report into the changeset's errors; `after`
/// runs in the transaction once row and event are written, and undoes both when it fails; `done` runs after the
/// transaction, whatever became of it.
struct step {
  step_kind kind{};
  check (*may)(change_context&) = nullptr;  // authorise
  void (*run)(change_context&, std::string_view message) = nullptr;
  result<void> (*after)(change_context&) = nullptr;
  void (*done)(const action_request&, result<action_outcome>&) = nullptr;
  bool (*where)(change_context&) = nullptr;  // null: always
  std::string_view message{};                // of a validation that only says false
};

/// What an upsert writes over the row that is there.
enum class upsert_fields : std::uint8_t { touched, all, these, all_except };

struct action_info {
  std::string_view name{};
  op kind{};
  attribute_mask accepts = 0;
  attribute_mask requires_inputs = 0;  // inputs this action must be given
  range steps{};
  range arguments{};                   // into resource_table::arguments
  bool soft = false;                   // destroy: the row stays, as the changes leave it
  bool has_done = false;               // some step is to run after the transaction
  static constexpr std::uint8_t no_upsert = 255;
  static constexpr std::uint8_t by_key = 254;
  std::uint8_t upsert = no_upsert;     // create: by_key, or the number of the identity it goes by
  upsert_fields replaces = upsert_fields::touched;
  attribute_mask replaced = 0;         // these, all_except
  bool (*upsert_where)(const void* there, const void* made) = nullptr;  // null: always
  result<record> (*manual)(change_context&) = nullptr;  // does the work itself, instead of the engine; null: the engine
};

/// Attributes that must be unique together.
struct identity_info {
  std::string_view name{};
  attribute_mask attributes = 0;
  bool nils_distinct = true;  // rows in which one of them is null never conflict
};

enum class topic_part_kind : std::uint8_t { literal, attribute, primary_key, tenant, skip, function };

struct topic_part {
  topic_part_kind kind{};
  std::string_view literal{};
  std::uint8_t attribute = 0;
  void (*append)(const void* row, std::string& out) = nullptr;  // function; appends nothing to skip the combination
};

/// What must be known of a row's struct to keep rows. Functions of plain pointers: a std::shared_ptr for each struct would be
/// what takes the compiler longest in a description.
struct row_ops {
  std::size_t size;
  std::size_t alignment;
  void (*construct)(void* at, const void* from);  // of null: a new row
  void (*destroy)(void* row) noexcept;
};

/// A row like `from`, or a new one, in one allocation with its count.
[[nodiscard]] std::shared_ptr<void> shared_row(const row_ops& ops, const void* from);

struct publication_info {
  std::string_view name{};               // the event's name on the bus; empty: the action's name
  std::uint16_t action = 0;            // publish: which action
  bool all = false;                    // publish_all: every action of `kind` but those in `except`
  op kind{};
  std::uint64_t except = 0;            // mask of actions
  bool previous_values = false;
  bool ephemeral = false;              // its topics are told once, and are not in the log
  bool is_public = false;              // gateways may offer it to the outside
  std::string_view bus{};              // empty: the application's default bus
  range segments{};                      // into resource_table::segments; each is a range of alternatives in `parts`
  bool (*filter)(const std::shared_ptr<const event_record>&) = nullptr;
  engine::published* (*transform)(const std::shared_ptr<const event_record>&) = nullptr;  // the message to send instead
};

}  // namespace detail

struct resource_table {
  std::string_view name{};
  std::uint32_t schema_version = 1;
  std::string_view prefix{};          // of its topics; may be empty
  std::string_view delimiter = ":";
  std::span<const detail::attribute_info> attributes{};
  std::span<const detail::constraint> constraints{};
  std::span<const value_view> values{};
  std::span<const detail::action_info> actions{};
  std::span<const detail::argument_info> arguments{};
  std::span<const detail::step> steps{};
  std::span<const detail::publication_info> publications{};
  std::span<const detail::range> segments{};
  std::span<const detail::topic_part> parts{};
  std::span<const std::uint8_t> key{};  // the primary key's attributes, in declaration order
  std::span<const detail::identity_info> identities{};
  detail::attribute_mask sensitive = 0;
  detail::attribute_mask secrets_inside = 0;  // attributes with sensitive fields inside
  std::uint32_t layout = 0;           // fingerprint of the attributes' names and types, see docs/formats/payload.md
  std::uint8_t tenant = 255;          // the attribute that holds a row's tenant; 255: none
  check (*authorise)(change_context&) = nullptr;  // asked before every action
  bool (*authorise_subscription)(const actor&, std::string_view topic) = nullptr;
  condition (*authorise_reads)(const actor&) = nullptr;  // the rows that this one may see
  const detail::row_ops* ops = nullptr;  // of the struct
  /// An event as a message for the bus, event<resource>, with the route it goes by.
  engine::published* (*message)(const std::shared_ptr<const event_record>&, std::size_t route) = nullptr;

  /// A default-constructed row.
  [[nodiscard]] std::shared_ptr<void> make() const { return clone(nullptr); }
  [[nodiscard]] std::shared_ptr<void> clone(const void* row) const { return detail::shared_row(*ops, row); }

  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  [[nodiscard]] std::size_t find_attribute(std::string_view attribute_name) const noexcept;
  [[nodiscard]] std::size_t find_action(std::string_view action_name) const noexcept;
  [[nodiscard]] std::span<const detail::constraint> constraints_of(const detail::attribute_info& a) const noexcept {
    return constraints.subspan(a.constraints.first, a.constraints.count);
  }
  [[nodiscard]] bool has_tenant() const noexcept { return tenant != 255; }
  [[nodiscard]] std::span<const detail::argument_info> arguments_of(const detail::action_info& a) const noexcept {
    return arguments.subspan(a.arguments.first, a.arguments.count);
  }
  [[nodiscard]] std::span<const detail::step> steps_of(const detail::action_info& a) const noexcept {
    return steps.subspan(a.steps.first, a.steps.count);
  }
  [[nodiscard]] std::span<const detail::range> segments_of(const detail::publication_info& p) const noexcept {
    return segments.subspan(p.segments.first, p.segments.count);
  }
};

namespace detail {
/// "tickets.open".
[[nodiscard]] std::string name_of(const resource_table& resource, const action_info& action);
}  // namespace detail

}  // namespace herald
