#include "memory_rows.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace herald::detail {

std::size_t memory_rows::by_identity::operator()(const record& row) const {
  std::size_t hash = 0;
  for (auto rest = attributes; rest != 0; rest &= rest - 1) {
    const auto attribute = static_cast<std::size_t>(std::countr_zero(rest));
    hash = (hash ^ row.get(attribute).hash()) * 0x9e3779b97f4a7c15U;
  }
  return hash;
}

bool memory_rows::by_identity::operator()(const record& left, const record& right) const noexcept {
  for (auto rest = attributes; rest != 0; rest &= rest - 1) {
    const auto attribute = static_cast<std::size_t>(std::countr_zero(rest));
    if (!(left.get(attribute) == right.get(attribute))) return false;
  }
  return true;
}

bool memory_rows::by_identity::has_null(const record& row) const noexcept {
  if (!nils_distinct) return false;
  for (auto rest = attributes; rest != 0; rest &= rest - 1) {
    if (row.get(static_cast<std::size_t>(std::countr_zero(rest))).is_null()) return true;
  }
  return false;
}

memory_rows::memory_rows(const table_index& index) {
  for (const auto* table : index.all()) {
    auto& made = tables_.emplace_back(table_rows{table, {}, {}, {}, 0});
    for (std::size_t i = 0; i < table->attributes.size(); ++i) {
      if (table->attributes[i].references != nullptr || table->attributes[i].refers_to_itself) made.references.push_back({i});
    }
    for (const auto& identity : table->identities) {
      const by_identity by{identity.attributes, identity.nils_distinct};
      made.identities.emplace_back(0, by, by);
    }
  }
}

record memory_rows::find(std::size_t table, const row_key& key) const {
  const auto* found = tables_[table].rows.find(key);
  return found == nullptr ? record{} : *found;
}

record memory_rows::find_by(std::size_t table, std::size_t identity, const record& like) const {
  const auto& set = tables_[table].identities[identity];
  if (set.hash_function().has_null(like)) return {};
  const auto found = set.find(like);
  return found == set.end() ? record{} : *found;
}

result<void> memory_rows::check_identities(const table_rows& in, const record& row, const record& but) const {
  for (std::size_t i = 0; i < in.identities.size(); ++i) {
    const auto& set = in.identities[i];
    const auto by = set.hash_function();
    if (by.has_null(row)) continue;
    const auto found = set.find(row);
    if (found == set.end() || (but && found->row() == but.row())) continue;
    return already_taken(*in.table, row, by.attributes, in.table->identities[i].name);
  }
  return {};
}

void memory_rows::put(table_rows& in, const record& row) {
  in.rows.insert(row);
  put_identities(in, row);
}

void memory_rows::put_identities(table_rows& in, const record& row) {
  for (auto& set : in.identities) {
    if (!set.hash_function().has_null(row)) set.insert(row);
  }
  put_references(in, row);
}

void memory_rows::put_references(table_rows& in, const record& row) {
  for (auto& index : in.references) {
    const auto key = row.get(index.attribute);
    if (!key.is_null()) index.rows[value{key}].emplace(row.row(), row);
  }
}

void memory_rows::take_references(table_rows& in, const record& row) {
  for (auto& index : in.references) {
    const auto key = row.get(index.attribute);
    if (key.is_null()) continue;
    const auto at = index.rows.find(value{key});
    if (at == index.rows.end()) continue;
    at->second.erase(row.row());
    if (at->second.empty()) index.rows.erase(at);
  }
}

void memory_rows::take(table_rows& in, const record& row) {
  for (auto& set : in.identities) {
    if (!set.hash_function().has_null(row)) set.erase(row);
  }
  take_references(in, row);
  in.rows.erase(row);
}

result<void> memory_rows::insert(std::size_t table, const record& row) {
  auto& in = tables_[table];
  if (!in.rows.insert(row)) {
    attribute_mask key = 0;
    for (const auto part : in.table->key) key |= bit(part);
    return already_taken(*in.table, row, key, {});
  }
  if (auto free = check_identities(in, row, {}); !free) {
    in.rows.erase(row);
    return free;
  }
  put_identities(in, row);
  undo_.push_back({table, {}, row});
  if (const auto& key = in.table->key; key.size() == 1 && in.table->attributes[key[0]].type() == value_type::integer) {
    in.last_integer = std::max(in.last_integer, row.get(key[0]).integer());
  }
  return {};
}

result<void> memory_rows::update(std::size_t table, const record& before, const record& after) {
  auto& in = tables_[table];
  auto* const found = in.rows.find(before);
  assert(found != nullptr && "an update of a row that find did not give");
  const auto old = *found;
  if (auto free = check_identities(in, after, old); !free) return free;
  for (auto& set : in.identities) {
    // The set shares the row, so it takes the new one even where the identity's own attributes are as they were.
    const auto by = set.hash_function();
    if (!by.has_null(old)) set.erase(old);
    if (!by.has_null(after)) set.insert(after);
  }
  take_references(in, old);
  put_references(in, after);
  *found = after;
  undo_.push_back({table, old, after});
  return {};
}

void memory_rows::erase(std::size_t table, const record& row) {
  auto& in = tables_[table];
  const auto* const found = in.rows.find(row);
  assert(found != nullptr && "an erase of a row that find did not give");
  const auto old = *found;
  take(in, old);
  undo_.push_back({table, old, {}});
}

void memory_rows::each(std::size_t table, const std::function<void(const record&)>& visit) const {
  tables_[table].rows.each(visit);
}

std::vector<const record*> memory_rows::meant(std::size_t table, const query& of) const {
  const auto& in = tables_[table];
  std::vector<const record*> found;
  const auto look = [&](const record& row) {
    if (of.where.holds(row)) found.push_back(&row);
  };
  // The condition names the whole key: one row at most.
  std::vector<value> key;
  for (const auto part : in.table->key) {
    if (const value* const is = of.where.equal_to(part); is != nullptr && !is->is_null()) key.push_back(*is);
  }
  if (key.size() == in.table->key.size()) {
    if (const auto* row = in.rows.find(row_key{std::move(key)})) look(*row);
    return found;
  }
  for (std::size_t i = 0; i < in.identities.size(); ++i) {
    const auto by = in.identities[i].hash_function();
    draft like{*in.table};
    bool whole = true;
    for (auto rest = by.attributes; rest != 0 && whole; rest &= rest - 1) {
      const auto attribute = static_cast<std::size_t>(std::countr_zero(rest));
      const value* const is = of.where.equal_to(attribute);
      whole = is != nullptr && !is->is_null() && like.set(attribute, is->view()) == cast_status::ok;
    }
    if (!whole) continue;
    if (const auto at = in.identities[i].find(std::move(like).freeze()); at != in.identities[i].end()) look(*at);
    return found;
  }
  for (const auto& index : in.references) {
    const value* const is = of.where.equal_to(index.attribute);
    if (is == nullptr) continue;
    if (const auto at = index.rows.find(*is); at != index.rows.end()) {
      for (const auto& [address, row] : at->second) look(row);
    }
    return found;
  }
  in.rows.each(look);
  return found;
}

void memory_rows::select(std::size_t table, const query& of, const std::function<void(const record&)>& visit) const {
  auto found = meant(table, of);
  const auto before = [&](const record* left, const record* right) { return comes_before(of, *left, *right); };
  const auto first = std::min(of.offset, found.size());
  const auto last = of.limit && *of.limit < found.size() - first ? first + *of.limit : found.size();
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(last), found.end(), before);
  for (auto i = first; i < last; ++i) visit(*found[i]);
}

std::uint64_t memory_rows::count(std::size_t table, const query& of) const { return meant(table, of).size(); }

void memory_rows::undo_to(std::size_t mark) {
  while (undo_.size() > mark) {
    const auto last = std::move(undo_.back());
    undo_.pop_back();
    auto& in = tables_[last.table];
    if (last.after) take(in, last.after);
    if (last.before) put(in, last.before);
  }
}

}  // namespace herald::detail
