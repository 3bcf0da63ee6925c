#pragma once
// The problem: a row travels from a store through an action into an event and to many subscribers. Copying it at each
// step would cost more than the action. A `record` is a row that nobody changes any more, shared by reference count,
// together with the table that can read it. A `draft` is a row still being made; freezing it costs nothing.
//
// `row_key` is a row's primary key, taken out of it: what find, update and destroy name a row by.
//
// Thread safety: record: its row is constant, so share it freely; draft, row_key: distinct objects: safe.
// Lifetime: a record keeps its row alive. Errors: what cannot be set says so by a cast_status; another T than the resource's, or an
// attribute it does not have, is a bug.

#include <herald/resource_table.hpp>

namespace herald {

class record {
 public:
  record() = default;  // no row
  record(const resource_table& table, std::shared_ptr<const void> row) : table_{&table}, row_{std::move(row)} {}

  explicit operator bool() const noexcept { return row_ != nullptr; }
  [[nodiscard]] const resource_table& table() const noexcept { return *table_; }
  [[nodiscard]] const void* row() const noexcept { return row_.get(); }
  [[nodiscard]] const std::shared_ptr<const void>& share() const noexcept { return row_; }
  [[nodiscard]] value_view get(std::size_t attribute) const { return table_->attributes[attribute].get(row_.get()); }
  /// The row as its struct, as long as a record holds it; null when empty. The caller knows that T is the resource's.
  template <class T>
  [[nodiscard]] const T* as() const noexcept {
    return static_cast<const T*>(row_.get());
  }

 private:
  const resource_table* table_ = nullptr;
  std::shared_ptr<const void> row_;
};

class draft {
 public:
  explicit draft(const resource_table& table) : table_{&table}, row_{table.make()} {}
  explicit draft(const record& from) : table_{&from.table()}, row_{from.table().clone(from.row())} {}

  [[nodiscard]] const resource_table& table() const noexcept { return *table_; }
  [[nodiscard]] void* row() const noexcept { return row_.get(); }
  [[nodiscard]] value_view get(std::size_t attribute) const { return table_->attributes[attribute].get(row_.get()); }
  [[nodiscard]] cast_status set(std::size_t attribute, const value_view& from) const {
    return table_->attributes[attribute].set(row_.get(), from);
  }
  [[nodiscard]] record freeze() && { return {*table_, std::move(row_)}; }

 private:
  const resource_table* table_;
  std::shared_ptr<void> row_;
};

class row_key {
 public:
  row_key() = default;
  template <class V>
    requires(std::constructible_from<value, V> && !std::same_as<std::remove_cvref_t<V>, row_key>)
  row_key(V&& only) : first_{std::forward<V>(only)} {}  // NOLINT: most keys are one value
  /// A composite key, in the order of the attributes' declaration.
  explicit row_key(std::vector<value> parts);

  [[nodiscard]] static row_key of(const record& row) { return of(row.table(), row.row()); }
  [[nodiscard]] static row_key of(const resource_table& table, const void* row);

  [[nodiscard]] std::size_t size() const noexcept { return first_.is_null() ? 0 : 1 + rest_.size(); }
  [[nodiscard]] value_view operator[](std::size_t part) const {
    return part == 0 ? first_.view() : rest_[part - 1].view();
  }
  /// The parts joined by "-", as `pkey` stands in a topic.
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] std::size_t hash() const noexcept;

  friend bool operator==(const row_key&, const row_key&) = default;
  friend std::strong_ordering operator<=>(const row_key&, const row_key&) = default;

 private:
  value first_;
  std::vector<value> rest_;
};

/// The hash and comparison of a row's key without taking it out; equal to row_key's own.
[[nodiscard]] std::size_t hash_key(const record& row) noexcept;
[[nodiscard]] bool has_key(const record& row, const row_key& key) noexcept;

}  // namespace herald

template <>
struct std::hash<herald::row_key> {
  std::size_t operator()(const herald::row_key& key) const noexcept { return key.hash(); }
};
