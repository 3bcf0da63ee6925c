#include "sqlite_literal.hpp"

#include <herald/payload.hpp>

#include <fmt/format.h>

#include <cmath>

namespace herald::detail {

namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

}  // namespace

std::string literal_of(const value_view& value) {
  switch (value.type()) {
    case value_type::null: return "NULL";
    case value_type::boolean: return value.boolean() ? "1" : "0";
    case value_type::integer: return fmt::format("{}", value.integer());
    case value_type::real:
      // SQL has no word for what is infinite, but reads a number beyond its reals as that.
      if (std::isinf(value.real())) return value.real() > 0 ? "9e999" : "-9e999";
      return fmt::format("{:.17e}", value.real());
    case value_type::time: return fmt::format("{}", value.time().time_since_epoch().count());
    case value_type::duration: return fmt::format("{}", value.duration().count());
    case value_type::uuid: {
      const auto& bytes = value.as_uuid().bytes;
      return "x'" + hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()}) + "'";
    }
    case value_type::bytes: {
      const auto bytes = value.as_bytes();
      return "x'" + hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()}) + "'";
    }
    case value_type::list:
    case value_type::map: {
      std::string encoded;
      encode_value(value, encoded, secrets::kept);
      return "x'" + hex(encoded) + "'";
    }
    case value_type::text: break;
  }
  std::string text{"'"};
  for (const char c : value.text()) {
    text += c;
    if (c == '\'') text += c;
  }
  return text += '\'';
}

}  // namespace herald::detail
