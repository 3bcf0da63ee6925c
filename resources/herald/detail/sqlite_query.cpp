#include "sqlite_query.hpp"

#include "sqlite.hpp"

#include <fmt/format.h>

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

/// GLOB is LIKE that tells capitals from small letters, in other signs.
std::string glob_of(std::string_view pattern, bool is_prefix) {
  std::string text;
  for (const char c : pattern) {
    if (!is_prefix && c == '%') {
      text.push_back('*');
    } else if (!is_prefix && c == '_') {
      text.push_back('?');
    } else if (c == '*' || c == '?' || c == '[') {
      text.append({'[', c, ']'});
    } else {
      text.push_back(c);
    }
  }
  return is_prefix ? text + '*' : text;
}

class writer {
 public:
  writer(const resource_table& resource, sql_query& to) : resource_{resource}, to_{to} {}

  void write(const condition& of) {
    const auto column = [&] { return quoted(resource_.attributes[of.attribute()].column); };
    switch (of.what()) {
      case condition::form::everything: to_.text += "1"; return;
      case condition::form::compare:
        to_.text += fmt::format("{} {} {}", column(), operator_of(of.how()), parameter(of.values()[0]));
        return;
      case condition::form::is_null: to_.text += column() + " IS NULL"; return;
      case condition::form::like:
        to_.text += fmt::format("{} GLOB {}", column(), parameter(value{glob_of(of.values()[0].view().text(), false)}));
        return;
      case condition::form::starts_with:
        to_.text += fmt::format("{} GLOB {}", column(), parameter(value{glob_of(of.values()[0].view().text(), true)}));
        return;
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
    to_.text += "(";
    for (std::size_t i = 0; i < of.parts().size(); ++i) {
      if (i != 0) to_.text += with;
      write(of.parts()[i]);
    }
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
  to.values.emplace_back(of.limit ? static_cast<std::int64_t>(*of.limit) : std::int64_t{-1});
  to.text += fmt::format(" LIMIT ?{}", to.values.size());
  if (of.offset == 0) return;
  to.values.emplace_back(static_cast<std::int64_t>(of.offset));
  to.text += fmt::format(" OFFSET ?{}", to.values.size());
}

}  // namespace herald::detail
