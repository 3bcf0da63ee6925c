#pragma once
// The problem: `run<tickets, "assign">(key, field<&Ticket::owner> = me)` must be checked by the compiler (the action exists,
// it accepts the attribute, the value fits, the key has the key's type) and become the same erased request that a call by
// name makes. `request_for` does that; stores and nested actions take what it gives.
//
// A row is named by its key, or by a copy of it: then a row that went, or that has another lock version by now, is refused
// as stale. `key(a, b)` names a row with a composite key. `action_options` may stand anywhere among the inputs.
//
// Thread safety: functions without state. Errors: compile errors. A number that its attribute's or argument's type does not hold is
// found at run time, and is an error of its field when the action runs.

#include <herald/action.hpp>
#include <herald/detail/typed_value.hpp>
#include <herald/table_of.hpp>

namespace herald {

/// What may be said along with an action, beside its inputs.
struct action_options {
  std::string tenant{};                   ///< whose row it is; for topics and the event too; empty: none
  bool all_tenants = false;               ///< update, destroy: the row may be any tenant's
  actor by{};                             ///< who asks: for authorise hooks, changes and the event
  std::vector<named_value> metadata{};    ///< travels with the event
  bool notify = true;                     ///< false: no event is written
  std::chrono::milliseconds limit{5000};  ///< how long to wait for the answer; the action may commit after it
  bool notify_unchanged = false;          ///< true: an update that changes nothing writes an event of kind unchanged
};

/// Names a row with a composite key, in the order of the attributes' declaration.
template <class... Parts>
[[nodiscard]] row_key key(const Parts&... parts) {
  return row_key{std::vector<value>{value{dsl::literal(parts)}...}};
}

namespace detail {

template <const auto& R, fixed_string Name>
consteval std::uint16_t action_number() {
  constexpr std::size_t at = R.action_of(Name.view());
  static_assert(at != R.none, "herald: the resource has no action of this name");
  return static_cast<std::uint16_t>(at);
}

template <class K>
consteval value_type key_type() {
  if constexpr (std::is_convertible_v<K, std::string_view>) {
    return value_type::text;
  } else if constexpr (has_codec<K>) {
    return codec<K>::type;
  } else {
    return value_type::null;
  }
}

inline void apply_options(action_request& request, action_options options) {
  request.tenant = std::move(options.tenant);
  request.all_tenants = options.all_tenants;
  request.by = std::move(options.by);
  request.metadata = std::move(options.metadata);
  request.notify = options.notify;
  request.notify_unchanged = options.notify_unchanged;
  request.limit = options.limit;
}

/// Takes the arguments of one typed call in turn.
template <const auto& R, std::uint16_t Action>
class request_reader {
 public:
  using row = row_type<R>;
  static constexpr const auto& action = R.actions[Action];

  request_reader() {
    request_.resource = &table_of<R>;
    request_.action = Action;
  }

  void name_row(const row& copy) {
    request_.key = row_key::of(table_of<R>, &copy);
    request_.from_copy = true;
    for (const attribute_info& attribute : R.attributes) {
      if (attribute.role == attribute_role::lock_version) request_.version = attribute.get(&copy).integer();
    }
  }
  void name_row(row_key by) { request_.key = std::move(by); }
  template <class K>
  void name_row(const K& by) {
    static_assert(R.keys == 1, "herald: the primary key of this resource has several parts: name the row by key(a, b)");
    static_assert(key_type<std::decay_t<K>>() == R.attributes[R.key[0]].ops->type,
                  "herald: the key has another type than the primary key of the resource");
    request_.key = row_key{value{dsl::literal(by)}};
  }

  template <auto M, class V>
  void add(field_input<M, V>&& input) {
    constexpr std::size_t at = R.attribute_of(member_spelling<M>());
    constexpr std::size_t place = R.argument_of(Action, member_spelling<M>());
    static_assert(at != R.none || place != R.none,
                  "herald: what is set here is neither an attribute of the resource nor an argument of the action");
    if constexpr (place != R.none) {
      static_assert(takes<member_type<M>, V>(), "herald: the value given here does not have the type of the argument");
      if constexpr (takes<member_type<M>, V>()) {
        member_type<M> held{};
        note(table_of<R>.arguments_of(table_of<R>.actions[Action])[place].info, put(held, std::forward<V>(input.value)));
        request_.arguments.resize(action.arguments.count);
        request_.arguments[place] = value{get_member<member_type<M>>(&held)};
        request_.arguments_given |= bit(place);
      }
    } else if constexpr (at != R.none) {
      static_assert((action.accepts & bit(at)) != 0, "herald: an attribute set here is not in accepts<...> of the action");
      static_assert(takes<member_type<M>, V>(), "herald: the value given here does not have the type of the attribute");
      if constexpr (takes<member_type<M>, V>()) {
        if (!input_) input_.emplace(table_of<R>);
        note(table_of<R>.attributes[at], put(static_cast<row*>(input_->row())->*M, std::forward<V>(input.value)));
        request_.given |= bit(at);
      }
    }
  }
  void add(action_options options) { apply_options(request_, std::move(options)); }
  template <class Other>
  void add(const Other&) {
    static_assert(!std::is_same_v<Other, Other>,
                  "herald: an input of an action is field<&Row::attribute> = value, or action_options");
  }

  [[nodiscard]] action_request finish() && {
    if (input_) request_.input = std::move(*input_).freeze();
    return std::move(request_);
  }

 private:
  void note(const attribute_info& of, const value_view& odd) {
    if (!odd.is_null()) note_out_of_range(request_, of, odd);
  }

  action_request request_;
  std::optional<draft> input_;
};

template <class F>
inline constexpr bool is_argument = false;
template <auto M, class V>
inline constexpr bool is_argument<field_input<M, V>> = true;
template <>
inline constexpr bool is_argument<action_options> = true;

}  // namespace detail

/// The request for one action: create takes inputs, update and destroy a key or copy first.
template <const auto& Resource, detail::fixed_string Action, class... Args>
[[nodiscard]] action_request request_for(Args&&... args) {
  constexpr std::uint16_t number = detail::action_number<Resource, Action>();
  constexpr bool creates = Resource.actions[number].kind == op::create;
  detail::request_reader<Resource, number> reader;
  if constexpr (creates) {
    (reader.add(std::forward<Args>(args)), ...);
  } else {
    static_assert(sizeof...(Args) > 0, "herald: an update or destroy needs the row's key, or a copy of the row, first");
    if constexpr (sizeof...(Args) > 0) {
      [&]<class K, class... Rest>(const K& key_or_copy, Rest&&... rest) {
        static_assert(!detail::is_argument<K>,
                      "herald: an update or destroy needs the row's key, or a copy of the row, first");
        if constexpr (!detail::is_argument<K>) reader.name_row(key_or_copy);
        (reader.add(std::forward<Rest>(rest)), ...);
      }(std::forward<Args>(args)...);
    }
  }
  return std::move(reader).finish();
}

/// Runs an action inside a running transaction, as one of its own: what a failed one did is undone, the rest stays.
/// For changes and after_action hooks, and for functions given to store::transact. Gives the row, for destroy as it was.
template <const auto& Resource, detail::fixed_string Action, class... Args>
[[nodiscard]] result<detail::row_type<Resource>> run(transaction& tx, Args&&... args) {
  const action_request request = request_for<Resource, Action>(std::forward<Args>(args)...);
  result<action_outcome> outcome{error{resource_errc::unavailable, "the nested action did not run"}};
  if (auto done = run_nested(tx, request, outcome); !done) return done.error();
  if (!outcome) return outcome.error();
  const record& left = outcome->after ? outcome->after : outcome->before;
  return *static_cast<const detail::row_type<Resource>*>(left.row());
}

/// A piece of a running transaction that is kept or undone as a whole: `transact(tx, [&](transaction& tx) -> result<T> {...})`.
template <class F>
[[nodiscard]] auto transact(transaction& tx, F&& function) -> std::invoke_result_t<F&, transaction&> {
  std::optional<std::invoke_result_t<F&, transaction&>> kept;
  auto done = tx.attempt([&] {
    kept.emplace(function(tx));
    return kept->has_value();
  });
  if (!done) return done.error();
  return std::move(*kept);
}

}  // namespace herald
