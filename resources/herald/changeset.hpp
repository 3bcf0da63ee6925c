#pragma once
// The problem: changes and validations of an action need to see what was, what will be and what the caller gave, set
// attributes the caller may not, and say what is wrong with which field. A changeset is that view, for the time of one
// action: `changeset<T>` typed for the code in a description, `change_context` erased for the engine behind it.
//
// Thread safety: none; it lives on the writer and must not be kept.
// Errors: add_error makes the action fail with resource_errc::invalid; throwing makes it fail with hook_failed.
// The idea: Ecto's and Ash's changeset.

#include <herald/action.hpp>
#include <herald/detail/typed_value.hpp>
#include <herald/dsl/member.hpp>
#include <herald/error.hpp>

#include <limits>
#include <utility>

namespace herald {

/// What a validation answers: fine, or what is wrong, and with which field.
struct check {
  check(bool fine) : ok{fine} {}  // NOLINT: a validation may simply answer true or false
  check(std::string_view of, std::string says) : ok{false}, field{of}, message{std::move(says)} {}

  bool ok;
  std::string_view field;  // empty: the row as a whole
  std::string message;     // empty: the validation's own message, or "is invalid"

  explicit operator bool() const noexcept { return ok; }
  friend check operator&&(check left, check right) { return left.ok ? std::move(right) : std::move(left); }
};

/// The largest value an increment may reach; beyond it, it begins at 0 again.
struct overflow_limit {
  std::int64_t value;
};

/// One action on its way. The engine's side; user code sees changeset<T>.
class change_context {
 public:
  change_context(transaction& tx, const action_request& request, std::span<const value> arguments, record before, void* row)
      : tx_{tx}, request_{request}, arguments_{arguments}, before_{std::move(before)}, row_{row}, touched_{request.given} {}

  [[nodiscard]] transaction& tx() const noexcept { return tx_; }
  [[nodiscard]] const action_request& request() const noexcept { return request_; }
  [[nodiscard]] const resource_table& resource() const noexcept { return *request_.resource; }
  [[nodiscard]] const detail::action_info& action() const noexcept { return resource().actions[request_.action]; }
  [[nodiscard]] const record& before() const noexcept { return before_; }
  [[nodiscard]] void* row() const noexcept { return row_; }
  /// The row turned out to be there: an upsert goes on as an update of it.
  void become_update(record before, void* row) noexcept {
    before_ = std::move(before);
    row_ = row;
  }

  /// The attribute's number; throws std::logic_error when the member is not an attribute of the resource.
  [[nodiscard]] std::size_t attribute(const void* tag, std::string_view name) const;
  /// The argument's place; throws std::logic_error when the member is not an argument of the action.
  [[nodiscard]] std::size_t argument(const void* tag, std::string_view name) const;
  [[nodiscard]] value_view argument(std::size_t place) const { return arguments_[place].view(); }
  void touch(std::size_t attribute) noexcept { touched_ |= detail::bit(attribute); }
  /// True when the row will really differ in it: on create, when it was given or set.
  [[nodiscard]] bool changing(std::size_t attribute) const;
  [[nodiscard]] detail::attribute_mask touched() const noexcept { return touched_; }

  void add_error(std::string_view field, std::string message);
  void add(check outcome, std::string_view message);
  /// A number was set that the attribute's type does not hold.
  void add_out_of_range(std::size_t attribute, const value_view& number);
  [[nodiscard]] bool valid() const noexcept { return errors_.empty(); }
  [[nodiscard]] std::vector<field_error>& errors() noexcept { return errors_; }
  /// Travels with the event, over what the caller gave along under the same name.
  void put_metadata(std::string_view name, value held);
  [[nodiscard]] const std::vector<named_value>& metadata() const noexcept { return metadata_; }
  /// The event goes to this topic too, under this name (empty: the action's). Throws std::logic_error for a wrong topic, and once
  /// the event is written.
  void tell(std::string topic, std::string name);
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> take_told();

 private:
  transaction& tx_;
  const action_request& request_;
  std::span<const value> arguments_;
  record before_;
  void* row_;
  detail::attribute_mask touched_;
  std::vector<field_error> errors_;
  std::vector<named_value> metadata_;
  std::vector<std::pair<std::string, std::string>> told_;
  bool event_made_ = false;
};

template <class T>
class changeset {
 public:
  explicit changeset(change_context& context) noexcept : context_{&context} {}

  /// The row as it will be.
  [[nodiscard]] const T& row() const noexcept { return *static_cast<const T*>(context_->row()); }
  /// The row as it was; null on create.
  [[nodiscard]] const T* before() const noexcept { return static_cast<const T*>(context_->before().row()); }

  /// The attribute as it will be: the change to it, else what it is.
  template <auto M>
  [[nodiscard]] const auto& get(dsl::field_token<M>) const noexcept {
    return row().*M;
  }
  /// What the attribute becomes; null when it stays as it is.
  template <auto M>
  [[nodiscard]] const detail::member_type<M>* change_of(dsl::field_token<M> of) const {
    return changing(of) ? &(row().*M) : nullptr;
  }
  /// Sets an attribute, whatever the action accepts from its caller.
  template <auto M, class V>
  void set(dsl::field_token<M>, V&& to) {
    static_assert(detail::takes<detail::member_type<M>, V>(), "herald: the value given here does not have the type of the attribute");
    if constexpr (detail::takes<detail::member_type<M>, V>()) {
      const std::size_t at = context_->attribute(&detail::member_tag<M>, detail::member_name<M>());
      context_->touch(at);
      const value_view odd = detail::put(static_cast<T*>(context_->row())->*M, std::forward<V>(to));
      if (!odd.is_null()) context_->add_out_of_range(at, odd);
    }
  }
  /// Adds to a number. What its type cannot hold is an error of the field, never a wrapped number.
  template <auto M, class V = int>
  void increment(dsl::field_token<M> of, V by = 1) {
    using member = detail::member_type<M>;
    if constexpr (!adds<member, V>()) {
    } else if constexpr (std::is_integral_v<member>) {
      member sum{};
      if (__builtin_add_overflow(row().*M, by, &sum)) return nothing_left(of, by);
      set(of, sum);
    } else {
      set(of, static_cast<member>(row().*M + static_cast<member>(by)));
    }
  }
  /// The same, but begins at 0 again when the sum would be above the limit.
  template <auto M, class V>
  void increment(dsl::field_token<M> of, V by, overflow_limit limit) {
    using member = detail::member_type<M>;
    if constexpr (!adds<member, V>()) {
    } else if constexpr (std::is_integral_v<member>) {
      std::int64_t sum = 0;
      const bool beyond = __builtin_add_overflow(row().*M, by, &sum);
      if (beyond ? std::cmp_greater(by, 0) : sum > limit.value) sum = 0;
      else if (beyond || !std::in_range<member>(sum)) return nothing_left(of, by);
      set(of, static_cast<member>(sum));
    } else {
      const auto sum = static_cast<member>(row().*M + static_cast<member>(by));
      set(of, sum > static_cast<member>(limit.value) ? member{} : sum);
    }
  }
  template <auto M>
  [[nodiscard]] bool changing(dsl::field_token<M>) const {
    return context_->changing(context_->attribute(&detail::member_tag<M>, detail::member_name<M>()));
  }
  /// True when the caller gave it, changed or not.
  template <auto M>
  [[nodiscard]] bool given(dsl::field_token<M>) const {
    return (context_->request().given &
            detail::bit(context_->attribute(&detail::member_tag<M>, detail::member_name<M>()))) != 0;
  }
  /// An argument of the action: what the caller gave, else its default.
  template <auto M>
  [[nodiscard]] detail::member_type<M> argument(dsl::field_token<M>) const {
    detail::member_type<M> made{};
    const std::size_t place = context_->argument(&detail::member_tag<M>, detail::member_name<M>());
    static_cast<void>(detail::set_member<detail::member_type<M>>(&made, context_->argument(place)));
    return made;
  }
  template <auto M>
  [[nodiscard]] bool argument_given(dsl::field_token<M>) const {
    const std::size_t place = context_->argument(&detail::member_tag<M>, detail::member_name<M>());
    return (context_->request().arguments_given & detail::bit(place)) != 0;
  }
  template <auto M>
  void add_error(dsl::field_token<M>, std::string message) {
    context_->add_error(detail::member_name<M>(), std::move(message));
  }
  void add_error(std::string message) { context_->add_error({}, std::move(message)); }
  /// Something that travels with the event.
  void put_metadata(std::string_view name, value held) { context_->put_metadata(name, std::move(held)); }

  /// A notification of its own: the action's event goes to this topic as well, under this name (empty: the action's). For changes
  /// and before_action hooks; once the row is written it is too late, and throws.
  void tell(std::string topic, std::string name = {}) { context_->tell(std::move(topic), std::move(name)); }

  [[nodiscard]] bool valid() const noexcept { return context_->valid(); }
  [[nodiscard]] std::string_view action() const noexcept { return context_->action().name; }
  [[nodiscard]] std::string_view tenant() const noexcept { return context_->request().tenant; }
  [[nodiscard]] const herald::actor& by() const noexcept { return context_->request().by; }
  [[nodiscard]] const std::vector<named_value>& metadata() const noexcept { return context_->request().metadata; }
  /// The transaction the action runs in, for nested actions (<herald/typed_request.hpp>).
  [[nodiscard]] transaction& tx() const noexcept { return context_->tx(); }
  /// The transaction's time.
  [[nodiscard]] timestamp now() const { return context_->tx().now(); }

 private:
  template <class Member, class V>
  static consteval bool adds() {
    constexpr bool numbers = detail::is_number<Member> && detail::is_number<V>;
    constexpr bool whole = !std::is_integral_v<Member> || std::is_integral_v<V>;
    static_assert(numbers, "herald: increment adds a number to an attribute that is a number");
    static_assert(whole, "herald: an attribute of an integer type is incremented by an integer");
    return numbers && whole;
  }
  template <auto M, class V>
  void nothing_left(dsl::field_token<M> of, V by) {
    using most = std::numeric_limits<detail::member_type<M>>;
    add_error(of, std::cmp_less(by, 0) ? "has no value left below " + std::to_string(most::min())
                                       : "has no value left above " + std::to_string(most::max()));
  }

  change_context* context_;
};

namespace dsl {

/// For validations: the attribute holds something (a text that is not empty, an optional with a value).
template <auto M, class T>
[[nodiscard]] check present(const T& row) {
  const auto& held = row.*M;
  bool there = true;
  if constexpr (requires { held.has_value(); }) {
    there = held.has_value();
    if constexpr (requires { held->empty(); }) there = there && !held->empty();
  } else if constexpr (requires { held.empty(); }) {
    there = !held.empty();
  } else if constexpr (requires { held.is_nil(); }) {
    there = !held.is_nil();
  }
  return there ? check{true} : check{detail::member_name<M>(), "must be present"};
}

/// For validations: what to answer when something is wrong with an attribute.
template <auto M>
[[nodiscard]] check fails(std::string message) {
  return {detail::member_name<M>(), std::move(message)};
}

}  // namespace dsl

}  // namespace herald
