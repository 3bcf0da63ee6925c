#include "sqlite_query.hpp"

#include "sqlite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace herald::detail {

namespace {

using sqlite::quoted;

std::string_view operator_of(comparison how) {
  switch (how) {
    case comparison::equal: return "=";
    case comparison::unequal: return "<>";
    case comparison::less: return "<";
    case comparison::at_most: return "<=";
    case comparison::more: return ">";
    case comparison::at_least: return ">=";
  }
  return "=";
}

/// The first text behind all that begin so; empty when there is none.
std::string behind_prefix(std::string_view prefix) {
  std::string text{prefix};
  while (!text.empty() && static_cast<unsigned char>(text.back()) == 0xff) text.pop_back();
  if (!text.empty()) text.back() = static_cast<char>(static_cast<unsigned char>(text.back()) + 1);
  return text;
}

class writer {
 public:
  writer(const resource_table& resource, sql_query& to) : resource_{resource}, to_{to} {}

  void write(const condition& of) {
    const auto column = [&] { return quoted(resource_.attributes[of.attribute()].column); };
    const bool of_text = of.what() == condition::form::like || of.what() == condition::form::starts_with;
    const std::string_view pattern = of_text ? of.values()[0].view().text() : std::string_view{};
    switch (of.what()) {
      case condition::form::everything: to_.text += "1"; return;
      case condition::form::compare:
        to_.text += fmt::format("{} {} {}", column(), operator_of(of.how()), parameter(of.values()[0]));
        return;
      case condition::form::is_null: to_.text += column() + " IS NULL"; return;
      case condition::form::like:
        // An index narrows it to what begins like the pattern; SQLite's own LIKE and GLOB end at a zero byte.
        to_.text += "(";
        begins_with(column(), pattern.substr(0, pattern.find_first_of("%_")));
        to_.text += fmt::format(" AND {}({}, {}))", sqlite::like_function, column(), parameter(value{std::string{pattern}}));
        return;
      case condition::form::starts_with: return begins_with(column(), pattern);
      case condition::form::in: {
        to_.text += column() + " IN (";
        for (std::size_t i = 0; i < of.values().size(); ++i) to_.text += (i == 0 ? "" : ", ") + parameter(of.values()[i]);
        to_.text += ")";
        return;
      }
      case condition::form::all_of: return join(of, " AND ", "1");
      case condition::form::any_of: return join(of, " OR ", "0");
      case condition::form::negation:
        to_.text += "NOT (";
        write(of.parts()[0]);
        to_.text += ")";
        return;
    }
  }

 private:
  void join(const condition& of, std::string_view with, std::string_view nothing) {
    if (of.parts().empty()) {
      to_.text += nothing;
      return;
    }
    join(of.parts(), with);
  }
  /// SQLite bounds the depth of an expression, and `a OR b OR c` is as deep as it is long: in halves it is not.
  void join(std::span<const condition> parts, std::string_view with) {
    if (parts.size() == 1) return write(parts.front());
    const std::size_t half = parts.size() / 2;
    to_.text += "(";
    join(parts.first(half), with);
    to_.text += with;
    join(parts.subspan(half), with);
    to_.text += ")";
  }
  /// Texts are ordered by their bytes.
  void begins_with(const std::string& column, std::string_view prefix) {
    to_.text += fmt::format("({} >= {}", column, parameter(value{std::string{prefix}}));
    if (auto end = behind_prefix(prefix); !end.empty()) to_.text += fmt::format(" AND {} < {}", column, parameter(value{std::move(end)}));
    to_.text += ")";
  }
  std::string parameter(value held) {
    to_.values.push_back(std::move(held));
    return fmt::format("?{}", to_.values.size());
  }

  const resource_table& resource_;
  sql_query& to_;
};

}  // namespace

sql_query where_of(const query& of) {
  sql_query made;
  if (of.where.what() == condition::form::everything) return made;
  made.text = " WHERE ";
  writer{*of.resource, made}.write(of.where);
  return made;
}

void append_order(const query& of, sql_query& to) {
  for (std::size_t i = 0; i < of.order.size(); ++i) {
    const auto& part = of.order[i];
    to.text += fmt::format("{}{}{}", i == 0 ? " ORDER BY " : ", ", quoted(of.resource->attributes[part.attribute].column),
                           part.descending ? " DESC" : "");
  }
  if (!of.limit && of.offset == 0) return;
  const auto number = [](std::size_t rows) {
    return static_cast<std::int64_t>(std::min<std::uint64_t>(rows, std::numeric_limits<std::int64_t>::max()));
  };
  to.values.emplace_back(of.limit ? number(*of.limit) : std::int64_t{-1});
  to.text += fmt::format(" LIMIT ?{}", to.values.size());
  if (of.offset == 0) return;
  to.values.emplace_back(number(of.offset));
  to.text += fmt::format(" OFFSET ?{}", to.values.size());
}

}  // namespace herald::detail
