#pragma once
// The problem: rows in memory must be found by key, be unique by identity, and come back when an action is rolled back.
//
// Rows are shared with events and readers, never copied. Changes are made in place, and each notes how to undo it.
//
// Private. Thread safety: shared objects: safe to read. Errors: resource_errc::taken.

#include "row_set.hpp"
#include "storage.hpp"

#include <herald/query.hpp>

#include <unordered_map>
#include <unordered_set>

namespace herald::detail {

class memory_rows {
 public:
  explicit memory_rows(const table_index& index);

  [[nodiscard]] record find(std::size_t table, const row_key& key) const;
  /// The row that has an identity in common with this one; none where a null makes it distinct.
  [[nodiscard]] record find_by(std::size_t table, std::size_t identity, const record& like) const;
  [[nodiscard]] result<void> insert(std::size_t table, const record& row);
  [[nodiscard]] result<void> update(std::size_t table, const record& before, const record& after);
  void erase(std::size_t table, const record& row);
  void each(std::size_t table, const std::function<void(const record&)>& visit) const;
  void select(std::size_t table, const query& of, const std::function<void(const record&)>& visit) const;
  [[nodiscard]] std::uint64_t count(std::size_t table, const query& of) const;

  /// How much could be undone now; undo_to takes everything back that was done since.
  [[nodiscard]] std::size_t mark() const noexcept { return undo_.size(); }
  void undo_to(std::size_t mark);
  void keep() noexcept { undo_.clear(); }

  /// 1 above the largest integer key ever given.
  [[nodiscard]] std::int64_t last_integer(std::size_t table) const noexcept { return tables_[table].last_integer; }
  [[nodiscard]] std::int64_t next_integer(std::size_t table) noexcept { return ++tables_[table].last_integer; }

 private:
  /// Hash and equality of what an identity says must be unique.
  struct by_identity {
    attribute_mask attributes = 0;
    bool nils_distinct = true;
    std::size_t operator()(const record& row) const;
    bool operator()(const record& left, const record& right) const noexcept;
    /// A row that conflicts with none.
    [[nodiscard]] bool has_null(const record& row) const noexcept;
  };
  using identity_set = std::unordered_set<record, by_identity, by_identity>;
  /// The rows by an attribute through which they belong to others.
  struct reference_index {
    std::size_t attribute;
    std::unordered_map<value, std::unordered_map<const void*, record>> rows{};
  };
  struct table_rows {
    const resource_table* table;
    row_set rows;
    std::vector<identity_set> identities;  // in the order of resource_table::identities
    std::vector<reference_index> references;
    std::int64_t last_integer = 0;
  };
  struct change {
    std::size_t table;
    record before;  // empty: the row was inserted
    record after;   // empty: the row was erased
  };

  [[nodiscard]] result<void> check_identities(const table_rows& in, const record& row, const record& but) const;
  static void put(table_rows& in, const record& row);
  static void put_identities(table_rows& in, const record& row);
  static void take(table_rows& in, const record& row);
  static void put_references(table_rows& in, const record& row);
  static void take_references(table_rows& in, const record& row);
  /// The rows that a query's condition holds for; asks an index where the condition lets it.
  [[nodiscard]] std::vector<const record*> meant(std::size_t table, const query& of) const;

  std::vector<table_rows> tables_;
  std::vector<change> undo_;
};

}  // namespace herald::detail
