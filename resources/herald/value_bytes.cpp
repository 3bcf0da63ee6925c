#include <herald/detail/value_bytes.hpp>
#include <herald/payload.hpp>

#include <bit>
#include <cstring>

namespace herald {

namespace {

using namespace detail;

constexpr int deepest_list = 8;

bool decode_nested(std::string_view& in, value& to, int depth);

bool decode_list(std::string_view& in, value& to, int depth) {
  std::uint64_t count = 0;
  if (depth == 0 || !take_number(in, count) || count > in.size()) return false;
  std::vector<value> parts(count);
  for (value& part : parts) {
    if (!decode_nested(in, part, depth - 1)) return false;
  }
  to = value{std::move(parts)};
  return true;
}

bool decode_map(std::string_view& in, value& to, int depth) {
  std::uint64_t count = 0;
  if (depth == 0 || !take_number(in, count) || count > in.size() / 2) return false;
  std::vector<value> parts(2 * count);
  for (value& part : parts) {
    if (!decode_nested(in, part, depth - 1)) return false;
  }
  to = value::map_of(parts);
  return true;
}

/// A value that needs no memory of its own: everything but a list and a map. Text and bytes look into `in`.
bool decode_view(std::string_view& in, value_type type, value_view& to) {
  std::int64_t number = 0;
  std::uint8_t byte = 0;
  std::uint64_t bits = 0;
  std::string_view text;
  switch (type) {
    case value_type::null: to = value_view{}; return true;
    case value_type::boolean:
      if (!take_byte(in, byte) || byte > 1) return false;
      to = value_view{byte == 1};
      return true;
    case value_type::integer:
      if (!take_signed(in, number)) return false;
      to = value_view{number};
      return true;
    case value_type::real:
      if (!take_fixed(in, bits)) return false;
      to = value_view{std::bit_cast<double>(bits)};
      return true;
    case value_type::text:
      if (!take_text(in, text)) return false;
      to = value_view{text};
      return true;
    case value_type::bytes:
      if (!take_text(in, text)) return false;
      to = value_view{std::as_bytes(std::span{text.data(), text.size()})};
      return true;
    case value_type::uuid: {
      uuid id;
      if (in.size() < id.bytes.size()) return false;
      std::memcpy(id.bytes.data(), in.data(), id.bytes.size());
      in.remove_prefix(id.bytes.size());
      to = value_view{id};
      return true;
    }
    case value_type::time:
      if (!take_signed(in, number)) return false;
      to = value_view{timestamp{std::chrono::microseconds{number}}};
      return true;
    case value_type::duration:
      if (!take_signed(in, number)) return false;
      to = value_view{std::chrono::microseconds{number}};
      return true;
    case value_type::list:
    case value_type::map: return false;
  }
  return false;
}

bool take_type(std::string_view& in, value_type& type) {
  std::uint8_t byte = 0;
  if (!take_byte(in, byte) || byte > static_cast<std::uint8_t>(value_type::map)) return false;
  type = static_cast<value_type>(byte);
  return true;
}

bool decode_nested(std::string_view& in, value& to, int depth) {
  value_type type{};
  if (!take_type(in, type)) return false;
  if (type == value_type::list) return decode_list(in, to, depth);
  if (type == value_type::map) return decode_map(in, to, depth);
  value_view view;
  if (!decode_view(in, type, view)) return false;
  to = value{view};
  return true;
}

}  // namespace

bool detail::take_value(std::string_view& in, value& owned, value_view& to) {
  value_type type{};
  if (!take_type(in, type)) return false;
  if (type != value_type::list && type != value_type::map) return decode_view(in, type, to);
  if (!(type == value_type::list ? decode_list : decode_map)(in, owned, deepest_list)) return false;
  to = owned.view();
  return true;
}

void encode_value(const value_view& from, std::string& out, secrets inside) {
  out.push_back(static_cast<char>(from.type()));
  switch (from.type()) {
    case value_type::null: return;
    case value_type::boolean: out.push_back(from.boolean() ? 1 : 0); return;
    case value_type::integer:
    case value_type::time:
    case value_type::duration: put_signed(from.integer(), out); return;
    case value_type::real: put_fixed(std::bit_cast<std::uint64_t>(from.real()), out); return;
    case value_type::text: put_text(from.text(), out); return;
    case value_type::bytes: {
      const bytes_view parts = from.as_bytes();
      append_varint(out, parts.size());
      for (const std::byte part : parts) out.push_back(static_cast<char>(part));
      return;
    }
    case value_type::uuid:
      for (const std::uint8_t part : from.as_uuid().bytes) out.push_back(static_cast<char>(part));
      return;
    case value_type::list:
      append_varint(out, from.size());
      for (std::size_t i = 0; i < from.size(); ++i) encode_value(from[i], out, inside);
      return;
    case value_type::map: {
      std::size_t shown = 0;
      const auto shows = [inside](const map_entry& entry) { return !entry.sensitive || inside == secrets::kept; };
      from.each_entry([&](const map_entry& entry) { shown += shows(entry) ? 1 : 0; });
      append_varint(out, shown);
      from.each_entry([&](const map_entry& entry) {
        if (!shows(entry)) return;
        encode_value(entry.key, out, inside);
        encode_value(entry.held, out, inside);
      });
      return;
    }
  }
}

bool decode_value(std::string_view& in, value& to) { return decode_nested(in, to, deepest_list); }

}  // namespace herald
