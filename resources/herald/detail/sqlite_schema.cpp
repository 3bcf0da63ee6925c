#include "sqlite_schema.hpp"

#include "sqlite_literal.hpp"

#include <herald/record.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <vector>

namespace herald::detail {

namespace {

using sqlite::quoted;
using sqlite::step_result;

struct column {
  std::string name;
  std::string type;
  bool not_null;
  bool key;
};

result<std::vector<column>> columns_of(sqlite::connection& db, std::string_view table) {
  auto ask = db.prepare("SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?1)", "read its tables");
  if (!ask) return ask.error();
  ask->bind_text(1, table);
  std::vector<column> found;
  while (true) {
    const auto step = ask->step();
    if (step == step_result::failed) return db.failure("read its tables");
    if (step == step_result::done) return found;
    found.push_back({std::string{ask->bytes(0)}, std::string{ask->bytes(1)}, ask->integer(2) != 0, ask->integer(3) != 0});
  }
}

/// What is in the way, and at the end the statements that would do it, for the file's owner to judge and run.
error mismatch(const sqlite::connection& db, const resource_table& table, std::string_view what, std::string_view sql) {
  return {resource_errc::schema_mismatch,
          fmt::format("store file '{}' does not fit resource '{}': {}; in SQL: {}", db.file(), table.name, what, sql)};
}

std::string definition(const attribute_info& attribute) {
  return fmt::format("{} {}{}", quoted(attribute.column), column_type(attribute.type()),
                     attribute.nullable() ? "" : " NOT NULL");
}

std::string create_sql(const resource_table& table) {
  std::string sql = fmt::format("CREATE TABLE {}(", quoted(table.name));
  for (const auto& attribute : table.attributes) sql += definition(attribute) + ", ";
  sql += "PRIMARY KEY(";
  for (std::size_t i = 0; i < table.key.size(); ++i) {
    sql += (i == 0 ? "" : ", ") + quoted(table.attributes[table.key[i]].column);
  }
  return sql += has_integer_key(table) ? ")) STRICT" : ")) STRICT, WITHOUT ROWID";
}

result<void> create_table(sqlite::connection& db, const resource_table& table) {
  return db.execute(create_sql(table).c_str(), fmt::format("make the table of '{}'", table.name));
}

/// What a new row has in an attribute.
std::string initial_literal(const resource_table& table, const attribute_info& attribute) {
  const auto fresh = table.make();
  attribute.set_initial(fresh.get());
  return literal_of(attribute.get(fresh.get()));
}

using column_list = std::vector<column>;

column_list::const_iterator find_column(const column_list& there, std::string_view name) {
  return std::find_if(there.begin(), there.end(), [&](const column& c) { return c.name == name; });
}

/// An attribute's value made of a row of the file's table: the column's own, cast where that has a meaning, else a new row's.
std::string taken_over(const resource_table& table, const attribute_info& attribute, const column_list& there) {
  auto at = find_column(there, attribute.column);
  if (at == there.end() && !attribute.was.empty()) at = find_column(there, attribute.was);
  std::string otherwise = attribute.nullable() && attribute.required ? "NULL" : initial_literal(table, attribute);
  if (attribute.primary_key && attribute.type() == value_type::uuid) otherwise = "randomblob(16)";
  if (attribute.primary_key && attribute.type() == value_type::integer) otherwise = "row_number() OVER ()";
  if (at == there.end()) return otherwise;
  const auto wanted = column_type(attribute.type());
  std::string held = quoted(at->name);
  if (at->type != wanted) {
    // What Herald stores in a form of its own is not to be made of another type's bytes.
    const bool castable = attribute.ops->names.empty() && (wanted != "BLOB" || attribute.type() == value_type::bytes);
    if (!castable) return otherwise;
    held = fmt::format("CAST({} AS {})", held, wanted);
  }
  return attribute.nullable() ? held : fmt::format("ifnull({}, {})", held, otherwise);
}

/// The statements that write a table anew, in the form of the description. They make room for every difference at once.
std::string rewrite_sql(const resource_table& table, const column_list& there) {
  const auto old = quoted(fmt::format("{}.old", table.name));
  std::string columns, values;
  for (const auto& attribute : table.attributes) {
    columns += (columns.empty() ? "" : ", ") + quoted(attribute.column);
    values += (values.empty() ? "" : ", ") + taken_over(table, attribute, there);
  }
  return fmt::format("ALTER TABLE {0} RENAME TO {1}; {2}; INSERT INTO {0}({3}) SELECT {4} FROM {1}; DROP TABLE {1}", quoted(table.name), old,
                     create_sql(table), columns, values);
}

/// The statements that drop columns. SQLite refuses it while an index has one, so these go first; those of identities and
/// references that stay are made again when the file is opened.
result<std::string> drop_sql(sqlite::connection& db, const resource_table& table, const column_list& going) {
  auto ask = db.prepare("SELECT DISTINCT l.name FROM pragma_index_list(?1) l, pragma_index_info(l.name) i WHERE l.origin = 'c' AND i.name = ?2 "
                        "UNION SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?1 AND instr(sql, ?3) > 0 AND "
                        "instr(sql, 'ifnull(') > 0",
                        "read its indexes");
  if (!ask) return ask.error();
  std::string indexes, columns;
  for (const column& one : going) {
    const auto name = quoted(one.name);
    ask->reset();
    ask->bind_text(1, table.name);
    ask->bind_text(2, one.name);
    ask->bind_text(3, name);
    auto step = ask->step();
    for (; step == step_result::row; step = ask->step()) {
      const auto drop = fmt::format("DROP INDEX {}; ", quoted(ask->bytes(0)));
      if (indexes.find(drop) == std::string::npos) indexes += drop;
    }
    if (step == step_result::failed) return db.failure("read its indexes");
    columns += fmt::format("{}ALTER TABLE {} DROP COLUMN {}", columns.empty() ? "" : "; ", quoted(table.name), name);
  }
  return indexes + columns;
}

result<void> rename_column(sqlite::connection& db, const resource_table& table, const attribute_info& attribute) {
  const auto sql = fmt::format("ALTER TABLE {} RENAME COLUMN {} TO {}", quoted(table.name), quoted(attribute.was),
                               quoted(attribute.column));
  return db.execute(sql.c_str(), fmt::format("rename a column of '{}'", table.name));
}

result<void> add_column(sqlite::connection& db, const resource_table& table, const attribute_info& attribute, const column_list& all) {
  if (attribute.primary_key) {
    return mismatch(db, table,
                    fmt::format("the file's key does not have '{}', and keys of rows cannot be made up; write the rows into a "
                                "new store, or, if made up keys will do and events of old may keep the old ones",
                                attribute.column),
                    rewrite_sql(table, all));
  }
  auto sql = fmt::format("ALTER TABLE {} ADD COLUMN {}", quoted(table.name), definition(attribute));
  if (attribute.required && !attribute.nullable()) {
    return mismatch(db, table,
                    fmt::format("it has no column '{}', and the rows already there would have no value in it, since the "
                                "attribute is required; make it optional (std::optional) or give it a default, or, if they may "
                                "have this one",
                                attribute.column),
                    fmt::format("{} DEFAULT {}", sql, initial_literal(table, attribute)));
  }
  if (!attribute.required) sql += " DEFAULT " + initial_literal(table, attribute);
  return db.execute(sql.c_str(), fmt::format("add a column to '{}'", table.name));
}

result<void> check_column(const sqlite::connection& db, const resource_table& table, const attribute_info& attribute,
                          const column& there, const column_list& all) {
  const auto wanted = column_type(attribute.type());
  if (there.type != wanted) {
    return mismatch(db, table,
                    fmt::format("column '{}' is {} in the file and {} ({}) in the description; give the attribute another "
                                "column{{...}} name, and copy the values with an action, or let SQLite cast them",
                                attribute.column, there.type, wanted, to_string(attribute.type())),
                    rewrite_sql(table, all));
  }
  if (there.key != attribute.primary_key) {
    return mismatch(db, table,
                    fmt::format("column '{}' is {}part of the primary key in the file and {}in the description; write the rows "
                                "into a new store, or, if events of old may keep the old keys",
                                attribute.column, there.key ? "" : "not ", attribute.primary_key ? "" : "not "),
                    rewrite_sql(table, all));
  }
  if (there.not_null == attribute.nullable()) {
    return mismatch(db, table,
                    fmt::format("column '{}' {} be null in the file and {} in the description; give the attribute another "
                                "column{{...}} name, and copy the values with an action, or write the table anew",
                                attribute.column, there.not_null ? "may not" : "may", there.not_null ? "may" : "may not"),
                    rewrite_sql(table, all));
  }
  return {};
}

result<void> fit_columns(sqlite::connection& db, const resource_table& table, const column_list& all) {
  auto there = all;
  for (const auto& attribute : table.attributes) {
    auto at = find_column(there, attribute.column);
    if (at == there.end() && !attribute.was.empty()) {
      at = find_column(there, attribute.was);
      if (at != there.end()) {
        if (auto renamed = rename_column(db, table, attribute); !renamed) return renamed;
      }
    }
    if (at == there.end()) {
      if (auto added = add_column(db, table, attribute, all); !added) return added;
      continue;
    }
    if (auto fits = check_column(db, table, attribute, *at, all); !fits) return fits;
    there.erase(at);
  }
  if (there.empty()) return {};
  auto sql = drop_sql(db, table, there);
  if (!sql) return sql.error();
  const bool key = std::any_of(there.begin(), there.end(), [](const column& c) { return c.key; });
  return mismatch(db, table,
                  fmt::format("column '{0}' is in the file and not in the description; add the attribute again, say "
                              "was{{\"{0}\"}} on the one it has become, or, if its content may go",
                              there.front().name),
                  key ? rewrite_sql(table, all) : *sql);
}

std::string index_name(const resource_table& table, const identity_info& identity) {
  return fmt::format("herald_{}_{}", table.name, identity.name);
}

std::string index_sql(const resource_table& table, const identity_info& identity) {
  std::string columns;
  for (auto rest = identity.attributes; rest != 0; rest &= rest - 1) {
    const auto& attribute = table.attributes[static_cast<std::size_t>(std::countr_zero(rest))];
    columns += (columns.empty() ? "" : ", ") + identity_term(identity, attribute, quoted(attribute.column));
  }
  return fmt::format("CREATE UNIQUE INDEX {} ON {}({})", quoted(index_name(table, identity)), quoted(table.name), columns);
}

/// The statement that leaves the first row, by key, of those that share an identity.
std::string doubles_sql(const resource_table& table, const identity_info& identity) {
  std::string same, first, other;
  for (auto rest = identity.attributes; rest != 0; rest &= rest - 1) {
    const auto& attribute = table.attributes[static_cast<std::size_t>(std::countr_zero(rest))];
    const auto of = [&](std::string_view row) { return identity_term(identity, attribute, fmt::format("{}.{}", row, quoted(attribute.column))); };
    same += fmt::format("{} = {} AND ", of("kept"), of(quoted(table.name)));
  }
  for (const auto at : table.key) {
    const auto name = quoted(table.attributes[at].column);
    first += fmt::format("{}kept.{}", first.empty() ? "" : ", ", name);
    other += fmt::format("{}{}.{}", other.empty() ? "" : ", ", quoted(table.name), name);
  }
  return fmt::format("DELETE FROM {0} WHERE EXISTS (SELECT 1 FROM {0} AS kept WHERE {1}({2}) < ({3}))", quoted(table.name), same, first, other);
}

/// An index on each attribute through which rows belong to others. Its name has a dot, which no identity's index has.
std::string reference_index(const resource_table& table, const attribute_info& attribute) {
  return fmt::format("herald.{}.{}", table.name, attribute.column);
}

result<void> fit_references(sqlite::connection& db, const resource_table& table) {
  for (const auto& attribute : table.attributes) {
    const auto index = quoted(reference_index(table, attribute));
    const bool refers = attribute.references != nullptr || attribute.refers_to_itself;
    const auto sql = refers ? fmt::format("CREATE INDEX IF NOT EXISTS {} ON {}({})", index, quoted(table.name), quoted(attribute.column))
                            : fmt::format("DROP INDEX IF EXISTS {}", index);
    if (auto done = db.execute(sql.c_str(), "fit the index of a reference"); !done) return done;
  }
  return {};
}

result<void> fit_identities(sqlite::connection& db, const resource_table& table) {
  std::map<std::string, std::string> there;
  {
    auto ask = db.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?1 AND sql IS NOT NULL "
                          "AND substr(name, 1, 7) = 'herald_'",
                          "read its indexes");
    if (!ask) return ask.error();
    ask->bind_text(1, table.name);
    while (ask->step() == step_result::row) there.emplace(ask->bytes(0), ask->bytes(1));
  }
  for (const auto& identity : table.identities) {
    const auto sql = index_sql(table, identity);
    const auto at = there.find(index_name(table, identity));
    if (at != there.end() && at->second == sql) {
      there.erase(at);
      continue;
    }
    if (at != there.end()) {
      const auto drop = "DROP INDEX " + quoted(at->first);
      if (auto dropped = db.execute(drop.c_str(), "replace an identity's index"); !dropped) return dropped;
      there.erase(at);
    }
    if (db.execute(sql.c_str(), "make an identity's index")) continue;
    if (sqlite::is_environment(db.last_code())) return db.failure("make an identity's index");
    return mismatch(db, table,
                    fmt::format("rows already there share what identity '{}' wants to be unique; make them differ, by actions of a "
                                "program that leaves the identity out, or, if all but the first of each may go",
                                identity.name),
                    doubles_sql(table, identity));
  }
  for (const auto& [name, sql] : there) {
    const auto drop = "DROP INDEX " + quoted(name);
    if (auto dropped = db.execute(drop.c_str(), "drop the index of an identity that is gone"); !dropped) return dropped;
  }
  return {};
}

}  // namespace

std::string_view column_type(value_type type) noexcept {
  switch (type) {
    case value_type::boolean:
    case value_type::integer:
    case value_type::time:
    case value_type::duration: return "INTEGER";
    case value_type::real: return "REAL";
    case value_type::text: return "TEXT";
    case value_type::null:
    case value_type::bytes:
    case value_type::uuid:
    case value_type::list:
    case value_type::map: break;
  }
  return "BLOB";
}

std::string identity_term(const identity_info& identity, const attribute_info& attribute, std::string_view of) {
  if (identity.nils_distinct || !attribute.nullable()) return std::string{of};
  return fmt::format("ifnull({}, {})", of, column_type(attribute.type()) == "TEXT" ? "x''" : "'null'");
}

bool has_integer_key(const resource_table& table) noexcept {
  return table.key.size() == 1 && table.attributes[table.key[0]].type() == value_type::integer;
}

namespace {

/// Who raises a description's schema_version says that programs with a lower one must not open the file any more.
result<void> fit_version(sqlite::connection& db, const resource_table& table) {
  constexpr auto doing = "read the schema versions of its resources";
  auto ask = db.prepare("SELECT version FROM herald_schema WHERE resource = ?1", doing);
  if (!ask) return ask.error();
  ask->bind_text(1, table.name);
  const auto step = ask->step();
  if (step == step_result::failed) return db.failure(doing);
  const std::int64_t there = step == step_result::row ? ask->integer(0) : 0;
  if (there == std::int64_t{table.schema_version}) return {};
  if (there > std::int64_t{table.schema_version}) {
    return error{resource_errc::newer_schema,
                 fmt::format("store file '{}': resource '{}' is in schema version {} in the file, and this program describes version {}; "
                             "a newer program has opened it: run that one",
                             db.file(), table.name, there, table.schema_version)};
  }
  auto put = db.prepare("INSERT OR REPLACE INTO herald_schema VALUES (?1, ?2)", doing);
  if (!put) return put.error();
  put->bind_text(1, table.name);
  put->bind(2, std::int64_t{table.schema_version});
  if (put->step() != step_result::done) return db.failure("write the schema versions of its resources");
  return {};
}

}  // namespace

result<void> fit_table(sqlite::connection& db, const resource_table& table) {
  if (auto fits = fit_version(db, table); !fits) return fits;
  auto there = columns_of(db, table.name);
  if (!there) return there.error();
  auto fitted = there->empty() ? create_table(db, table) : fit_columns(db, table, *std::move(there));
  if (!fitted) return fitted;
  if (auto references = fit_references(db, table); !references) return references;
  return fit_identities(db, table);
}

}  // namespace herald::detail
