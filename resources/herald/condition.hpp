#pragma once
// The problem: which rows are meant must be said once and be understood alike by every store: one compares structs in memory,
// another one asks a database. A `condition` is that, as data: comparisons of attributes with values, joined by and, or, not.
//
// As in SQL, a comparison with null is neither true nor false, and so is its negation: such a row is not selected. is_null
// asks for nulls. Texts and bytes compare byte by byte. `like`: "%" stands for any characters, "_" for one.
//
// Typed code writes `field<&Ticket::status> == "open" && !is_null(field<&Ticket::owner>)` (<herald/dsl/filter.hpp>); gateways
// name attributes. `resolve` finds them in a resource.
//
// Thread safety: distinct objects: safe. Errors: resolve: no_such_input, invalid.

#include <herald/record.hpp>
#include <herald/resource_error.hpp>

namespace herald {

namespace detail {
/// `like` of a text, the same for every store.
[[nodiscard]] bool matches_like(std::string_view text, std::string_view pattern);
}  // namespace detail

enum class comparison : std::uint8_t { equal, unequal, less, at_most, more, at_least };

class condition {
 public:
  enum class form : std::uint8_t { everything, compare, in, is_null, like, starts_with, all_of, any_of, negation };

  condition() = default;  // every row
  /// An attribute by name.
  [[nodiscard]] static condition compare(std::string attribute, comparison how, value with);
  [[nodiscard]] static condition in(std::string attribute, std::vector<value> values);
  [[nodiscard]] static condition is_null(std::string attribute);
  [[nodiscard]] static condition like(std::string attribute, std::string pattern);
  [[nodiscard]] static condition starts_with(std::string attribute, std::string prefix);
  [[nodiscard]] static condition all_of(std::vector<condition> parts);
  [[nodiscard]] static condition any_of(std::vector<condition> parts);
  [[nodiscard]] static condition negation(condition of);
  /// The same condition on the attribute with this number.
  [[nodiscard]] condition on(std::size_t attribute) &&;

  [[nodiscard]] herald::result<void> resolve(const resource_table& resource);

  [[nodiscard]] form what() const noexcept { return form_; }
  [[nodiscard]] comparison how() const noexcept { return how_; }
  [[nodiscard]] std::size_t attribute() const noexcept { return attribute_; }
  [[nodiscard]] std::span<const value> values() const noexcept { return values_; }
  [[nodiscard]] std::span<const condition> parts() const noexcept { return parts_; }

  /// Whether a row is meant. The condition is resolved for its resource.
  [[nodiscard]] bool holds(const record& row) const { return truth(row) == answer::yes; }
  /// The value that an attribute must equal for the condition to hold; null when it does not say.
  [[nodiscard]] const value* equal_to(std::size_t attribute) const noexcept;

 private:
  enum class answer : std::uint8_t { no, unknown, yes };
  [[nodiscard]] answer truth(const record& row) const;
  [[nodiscard]] static condition joined(form how, std::vector<condition> parts);

  static constexpr std::size_t unresolved = static_cast<std::size_t>(-1);
  form form_ = form::everything;
  comparison how_ = comparison::equal;
  std::string name_;
  std::size_t attribute_ = unresolved;
  std::vector<value> values_;
  std::vector<condition> parts_;
};

}  // namespace herald
