#pragma once
// The problem: changes and validations of an action need to see what was, what will be and what the caller gave, set
// attributes the caller may not, and say what is wrong with which field. A changeset is that view, for the time of one
// action: `changeset<T>` typed for the code in a description, `change_context` erased for the engine behind it.
//
// Thread safety: none; it lives on the writer and must not be kept.
// Errors: add_error makes the action fail with resource_errc::invalid; throwing makes it fail with hook_failed.
// The idea: Ecto's and Ash's changeset.

#include <herald/dsl/member.hpp>
#include <herald/error.hpp>
#include <herald/record.hpp>

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

/// One action on its way. The engine's side; user code sees changeset<T>.
class change_context {
 public:
  change_context(transaction& tx, const detail::action_info& action, const record& before, draft& row,
                 detail::attribute_mask given, timestamp now, std::string_view tenant)
      : tx_{tx}, resource_{row.table()}, action_{action}, before_{before}, row_{row}, touched_{given}, given_{given},
        now_{now}, tenant_{tenant} {}

  [[nodiscard]] transaction& tx() const noexcept { return tx_; }

  [[nodiscard]] const resource_table& resource() const noexcept { return resource_; }
  [[nodiscard]] const detail::action_info& action() const noexcept { return action_; }
  [[nodiscard]] const record& before() const noexcept { return before_; }
  [[nodiscard]] void* row() const noexcept { return row_.row(); }
  [[nodiscard]] timestamp now() const noexcept { return now_; }
  [[nodiscard]] std::string_view tenant() const noexcept { return tenant_; }

  /// The attribute's number; throws std::logic_error when the member is not an attribute of the resource.
  [[nodiscard]] std::size_t attribute(const void* tag, std::string_view name) const;
  void touch(std::size_t attribute) noexcept { touched_ |= detail::bit(attribute); }
  /// True when the row will really differ in it: on create, when it was given or set.
  [[nodiscard]] bool changing(std::size_t attribute) const;
  [[nodiscard]] detail::attribute_mask given() const noexcept { return given_; }
  [[nodiscard]] detail::attribute_mask touched() const noexcept { return touched_; }

  void add_error(std::string_view field, std::string message);
  void add(check outcome, std::string_view message);
  [[nodiscard]] bool valid() const noexcept { return errors_.empty(); }
  [[nodiscard]] std::vector<field_error>& errors() noexcept { return errors_; }

 private:
  transaction& tx_;
  const resource_table& resource_;
  const detail::action_info& action_;
  const record& before_;
  draft& row_;
  detail::attribute_mask touched_;
  detail::attribute_mask given_;
  timestamp now_;
  std::string_view tenant_;
  std::vector<field_error> errors_;
};

template <class T>
class changeset {
 public:
  explicit changeset(change_context& context) noexcept : context_{&context} {}

  /// The row as it will be.
  [[nodiscard]] const T& row() const noexcept { return *static_cast<const T*>(context_->row()); }
  /// The row as it was; null on create.
  [[nodiscard]] const T* before() const noexcept { return static_cast<const T*>(context_->before().row()); }

  template <auto M>
  [[nodiscard]] const auto& get(dsl::field_token<M>) const noexcept {
    return row().*M;
  }
  /// Sets an attribute, whatever the action accepts from its caller.
  template <auto M, class V>
  void set(dsl::field_token<M>, V&& to) {
    context_->touch(context_->attribute(&detail::member_tag<M>, detail::member_name<M>()));
    static_cast<T*>(context_->row())->*M = std::forward<V>(to);
  }
  /// Adds to a number.
  template <auto M, class V = int>
  void increment(dsl::field_token<M> of, V by = 1) {
    using member = detail::member_type<M>;
    set(of, static_cast<member>(row().*M + static_cast<member>(by)));
  }
  template <auto M>
  [[nodiscard]] bool changing(dsl::field_token<M>) const {
    return context_->changing(context_->attribute(&detail::member_tag<M>, detail::member_name<M>()));
  }
  /// True when the caller gave it, changed or not.
  template <auto M>
  [[nodiscard]] bool given(dsl::field_token<M>) const {
    return context_->given() &
           detail::bit(context_->attribute(&detail::member_tag<M>, detail::member_name<M>()));
  }
  template <auto M>
  void add_error(dsl::field_token<M>, std::string message) {
    context_->add_error(detail::member_name<M>(), std::move(message));
  }
  void add_error(std::string message) { context_->add_error({}, std::move(message)); }

  [[nodiscard]] bool valid() const noexcept { return context_->valid(); }
  [[nodiscard]] std::string_view action() const noexcept { return context_->action().name; }
  [[nodiscard]] std::string_view tenant() const noexcept { return context_->tenant(); }
  /// The transaction the action runs in, for nested actions (<herald/typed_request.hpp>).
  [[nodiscard]] transaction& tx() const noexcept { return context_->tx(); }
  /// The transaction's time.
  [[nodiscard]] timestamp now() const noexcept { return context_->now(); }

 private:
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
