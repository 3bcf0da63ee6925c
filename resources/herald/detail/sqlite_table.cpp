#include "sqlite_table.hpp"

#include "sqlite_query.hpp"
#include "sqlite_schema.hpp"
#include "storage.hpp"

#include <herald/payload.hpp>

#include <fmt/format.h>

#include <bit>
#include <cassert>
#include <cstring>

namespace herald::detail {

namespace {

using sqlite::quoted;
using sqlite::step_result;

constexpr std::size_t max_update_statements = 64;
constexpr std::size_t max_query_statements = 64;

std::string where_key(const resource_table& table, std::size_t first_parameter) {
  std::string sql;
  for (std::size_t i = 0; i < table.key.size(); ++i) {
    sql += fmt::format("{}{} = ?{}", i == 0 ? " WHERE " : " AND ", quoted(table.attributes[table.key[i]].column),
                       first_parameter + i);
  }
  return sql;
}

std::string column_list(const resource_table& table) {
  std::string sql;
  for (const auto& attribute : table.attributes) sql += (sql.empty() ? "" : ", ") + quoted(attribute.column);
  return sql;
}

std::string_view chars(bytes_view bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void bind_value(sqlite::statement& to, int parameter, const value_view& value, std::string& encoded) {
  switch (value.type()) {
    case value_type::null: return to.bind_null(parameter);
    case value_type::boolean: return to.bind(parameter, std::int64_t{value.boolean()});
    case value_type::integer: return to.bind(parameter, value.integer());
    case value_type::real: return to.bind(parameter, value.real());
    case value_type::text: return to.bind_text(parameter, value.text());
    case value_type::bytes: return to.bind_blob(parameter, chars(value.as_bytes()));
    case value_type::time: return to.bind(parameter, std::int64_t{value.time().time_since_epoch().count()});
    case value_type::duration: return to.bind(parameter, std::int64_t{value.duration().count()});
    case value_type::uuid: break;
    case value_type::list:
    case value_type::map:
      encoded.clear();
      encode_value(value, encoded, secrets::kept);
      return to.bind_blob(parameter, encoded);
  }
  // A view holds its uuid itself, so the bytes must be kept until the step.
  const auto& bytes = value.as_uuid().bytes;
  encoded.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  to.bind_blob(parameter, encoded);
}

/// Reads a column into a row's attribute. False when the file has something else there.
bool read_value(const sqlite::statement& from, int column, const attribute_info& attribute, void* row) {
  if (from.is_null(column)) return attribute.set(row, value_view{}) == cast_status::ok;
  const auto put = [&](const value_view& value) { return attribute.set(row, value) == cast_status::ok; };
  switch (attribute.type()) {
    case value_type::boolean: return put(from.integer(column) != 0);
    case value_type::integer: return put(from.integer(column));
    case value_type::real: return put(from.real(column));
    case value_type::text: return put(from.bytes(column));
    case value_type::time: return put(timestamp{std::chrono::microseconds{from.integer(column)}});
    case value_type::duration: return put(std::chrono::microseconds{from.integer(column)});
    case value_type::bytes: {
      const auto bytes = from.bytes(column);
      return put(bytes_view{reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()});
    }
    case value_type::uuid: {
      const auto bytes = from.bytes(column);
      uuid id;
      if (bytes.size() != id.bytes.size()) return false;
      std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
      return put(id);
    }
    case value_type::list:
    case value_type::map: {
      auto bytes = from.bytes(column);
      value held;
      return decode_value(bytes, held) && bytes.empty() && put(held.view());
    }
    case value_type::null: break;
  }
  return false;
}

}  // namespace

result<table_reader> table_reader::open(sqlite::connection& db, const resource_table& table) {
  table_reader made;
  made.table_ = &table;
  const auto select = fmt::format("SELECT {} FROM {}", column_list(table), quoted(table.name));
  auto find = db.prepare(select + where_key(table, 1), "read rows");
  if (!find) return find.error();
  auto scan = db.prepare(select, "read rows");
  if (!scan) return scan.error();
  made.find_ = *std::move(find);
  made.scan_ = *std::move(scan);
  return made;
}

result<record> table_reader::row_of(const sqlite::connection& db, const sqlite::statement& at) const {
  auto row = table_->make();
  for (std::size_t i = 0; i < table_->attributes.size(); ++i) {
    const auto& attribute = table_->attributes[i];
    if (read_value(at, static_cast<int>(i), attribute, row.get())) continue;
    return error{resource_errc::corrupt,
                 fmt::format("store file '{}': column '{}' of a row of '{}' has a value that is no {}", db.file(),
                             attribute.column, table_->name, to_string(attribute.type()))};
  }
  return record{*table_, std::move(row)};
}

result<record> table_reader::find(sqlite::connection& db, const row_key& key) {
  assert(key.size() == table_->key.size());
  std::string encoded[max_attributes];
  sqlite::reset_at_end reset{find_};
  for (std::size_t i = 0; i < key.size(); ++i) bind_value(find_, static_cast<int>(i + 1), key[i], encoded[i]);
  switch (find_.step()) {
    case step_result::row: return row_of(db, find_);
    case step_result::done: return record{};
    case step_result::failed: break;
  }
  return db.failure(fmt::format("read a row of '{}'", table_->name));
}

result<void> table_reader::scan(sqlite::connection& db, const std::function<void(const record&)>& each) {
  sqlite::reset_at_end reset{scan_};
  while (true) {
    const auto step = scan_.step();
    if (step == step_result::failed) return db.failure(fmt::format("read the rows of '{}'", table_->name));
    if (step == step_result::done) return {};
    auto row = row_of(db, scan_);
    if (!row) return row.error();
    each(*row);
  }
}

result<sqlite::statement*> table_reader::prepared(sqlite::connection& db, const std::string& sql) {
  if (const auto known = queries_.find(sql); known != queries_.end()) return &known->second;
  // A program with more kinds of queries than this pays for preparing some of them again.
  if (queries_.size() >= max_query_statements) queries_.clear();
  auto made = db.prepare(sql, fmt::format("prepare a query of '{}'", table_->name));
  if (!made && sqlite::is_refusal(db.last_code())) {
    return error{resource_errc::invalid, fmt::format("a query of '{}' is larger or nested deeper than SQLite takes; ask for less at "
                                                     "once: {}", table_->name, made.error().message())};
  }
  if (!made) return made.error();
  return &queries_.emplace(sql, *std::move(made)).first->second;
}

result<void> table_reader::select(sqlite::connection& db, const query& of, const std::function<void(const record&)>& each) {
  auto sql = where_of(of);
  append_order(of, sql);
  auto statement = prepared(db, fmt::format("SELECT {} FROM {}{}", column_list(*table_), quoted(table_->name), sql.text));
  if (!statement) return statement.error();
  sqlite::statement& ask = **statement;
  std::vector<std::string> encoded(sql.values.size());
  sqlite::reset_at_end reset{ask};
  for (std::size_t i = 0; i < sql.values.size(); ++i) bind_value(ask, static_cast<int>(i + 1), sql.values[i].view(), encoded[i]);
  while (true) {
    const auto step = ask.step();
    if (step == step_result::failed) return db.failure(fmt::format("read rows of '{}'", table_->name));
    if (step == step_result::done) return {};
    auto row = row_of(db, ask);
    if (!row) return row.error();
    each(*row);
  }
}

result<std::uint64_t> table_reader::count(sqlite::connection& db, const query& of) {
  const auto sql = where_of(of);
  auto statement = prepared(db, fmt::format("SELECT count(*) FROM {}{}", quoted(table_->name), sql.text));
  if (!statement) return statement.error();
  sqlite::statement& ask = **statement;
  std::vector<std::string> encoded(sql.values.size());
  sqlite::reset_at_end reset{ask};
  for (std::size_t i = 0; i < sql.values.size(); ++i) bind_value(ask, static_cast<int>(i + 1), sql.values[i].view(), encoded[i]);
  if (ask.step() != step_result::row) return db.failure(fmt::format("count the rows of '{}'", table_->name));
  return static_cast<std::uint64_t>(ask.integer(0));
}

result<table_writer> table_writer::open(sqlite::connection& db, const resource_table& table) {
  table_writer made;
  made.table_ = &table;
  made.encoded_.resize(table.attributes.size() * 2);
  auto reader = table_reader::open(db, table);
  if (!reader) return reader.error();
  std::string sql = fmt::format("INSERT INTO {}({}) VALUES (", quoted(table.name), column_list(table));
  for (std::size_t i = 0; i < table.attributes.size(); ++i) sql += fmt::format("{}?{}", i == 0 ? "" : ", ", i + 1);
  auto insert = db.prepare(sql + ")", "write rows");
  if (!insert) return insert.error();
  auto erase = db.prepare(fmt::format("DELETE FROM {}{}", quoted(table.name), where_key(table, 1)), "write rows");
  if (!erase) return erase.error();
  for (const auto& identity : table.identities) {
    std::string where;
    std::size_t parameter = 0;
    for (auto rest = identity.attributes; rest != 0; rest &= rest - 1) {
      const auto& attribute = table.attributes[static_cast<std::size_t>(std::countr_zero(rest))];
      where += fmt::format("{}{} = {}", parameter == 0 ? " WHERE " : " AND ",
                           identity_term(identity, attribute, quoted(attribute.column)),
                           identity_term(identity, attribute, fmt::format("?{}", parameter + 1)));
      ++parameter;
    }
    auto find = db.prepare(fmt::format("SELECT {} FROM {}{}", column_list(table), quoted(table.name), where), "read rows");
    if (!find) return find.error();
    made.by_identity_.push_back(*std::move(find));
  }
  made.reader_ = *std::move(reader);
  made.insert_ = *std::move(insert);
  made.erase_ = *std::move(erase);
  return made;
}

void table_writer::bind(sqlite::statement& to, int parameter, const record& row, std::size_t attribute) {
  bind_value(to, parameter, row.get(attribute), encoded_[attribute]);
}

void table_writer::bind_key(sqlite::statement& to, int first, const record& row) {
  for (std::size_t i = 0; i < table_->key.size(); ++i) {
    const std::size_t attribute = table_->key[i];
    bind_value(to, first + static_cast<int>(i), row.get(attribute), encoded_[table_->attributes.size() + attribute]);
  }
}

result<record> table_writer::find_by(sqlite::connection& db, std::size_t identity, const record& like) {
  auto& find = by_identity_[identity];
  sqlite::reset_at_end reset{find};
  int parameter = 0;
  for (auto rest = table_->identities[identity].attributes; rest != 0; rest &= rest - 1) {
    bind(find, ++parameter, like, static_cast<std::size_t>(std::countr_zero(rest)));
  }
  switch (find.step()) {
    case step_result::row: return reader_.row_of(db, find);
    case step_result::done: return record{};
    case step_result::failed: break;
  }
  return db.failure(fmt::format("read a row of '{}'", table_->name));
}

result<void> table_writer::insert(sqlite::connection& db, const record& row) {
  sqlite::reset_at_end reset{insert_};
  for (std::size_t i = 0; i < table_->attributes.size(); ++i) bind(insert_, static_cast<int>(i + 1), row, i);
  if (insert_.step() == step_result::done) return {};
  return refusal(db, row, true);
}

result<void> table_writer::update(sqlite::connection& db, const record& after, attribute_mask changed) {
  auto* statement = update_for(db, changed);
  if (statement == nullptr) return db.failure(fmt::format("update a row of '{}'", table_->name));
  sqlite::reset_at_end reset{*statement};
  int parameter = 0;
  for (auto rest = changed; rest != 0; rest &= rest - 1) {
    bind(*statement, ++parameter, after, static_cast<std::size_t>(std::countr_zero(rest)));
  }
  bind_key(*statement, parameter + 1, after);
  if (statement->step() != step_result::done) return refusal(db, after, false);
  assert(db.changes() == 1 && "an update of a row that find did not give");
  return {};
}

result<void> table_writer::erase(sqlite::connection& db, const record& row) {
  sqlite::reset_at_end reset{erase_};
  bind_key(erase_, 1, row);
  if (erase_.step() != step_result::done) return db.failure(fmt::format("delete a row of '{}'", table_->name));
  assert(db.changes() == 1 && "an erase of a row that find did not give");
  return {};
}

sqlite::statement* table_writer::update_for(sqlite::connection& db, attribute_mask changed) {
  assert(changed != 0 && "an update that changes nothing");
  if (const auto found = updates_.find(changed); found != updates_.end()) return &found->second;
  // A description with more combinations than this pays for preparing some of them again.
  if (updates_.size() >= max_update_statements) updates_.clear();
  std::string sql;
  std::size_t parameter = 0;
  for (auto rest = changed; rest != 0; rest &= rest - 1) {
    const auto& attribute = table_->attributes[static_cast<std::size_t>(std::countr_zero(rest))];
    ++parameter;
    sql += fmt::format("{}{} = ?{}", parameter == 1 ? "" : ", ", quoted(attribute.column), parameter);
  }
  auto made = db.prepare(
      fmt::format("UPDATE {} SET {}{}", quoted(table_->name), sql, where_key(*table_, parameter + 1)), "write rows");
  return made ? &updates_.emplace(changed, *std::move(made)).first->second : nullptr;
}

error table_writer::refusal(sqlite::connection& db, const record& row, bool inserting) {
  const auto doing = fmt::format("{} a row of '{}'", inserting ? "insert" : "update", table_->name);
  // Asked now: the look-ups below would overwrite it.
  auto why = db.failure(doing);
  if (sqlite::is_environment(db.last_code())) return why;
  attribute_mask key = 0;
  for (const auto part : table_->key) key |= bit(part);
  if (inserting) {
    const auto there = reader_.find(db, row_key::of(row));
    if (there && *there) return already_taken(*table_, row, key, {});
  }
  for (std::size_t i = 0; i < table_->identities.size(); ++i) {
    const auto& identity = table_->identities[i];
    if (taken_by_other(db, row, i)) return already_taken(*table_, row, identity.attributes, identity.name);
  }
  return {resource_errc::schema_mismatch, why.message()};
}

bool table_writer::taken_by_other(sqlite::connection& db, const record& row, std::size_t identity) {
  const auto there = find_by(db, identity, row);
  return there && *there && !has_key(*there, row_key::of(row));
}

}  // namespace herald::detail
