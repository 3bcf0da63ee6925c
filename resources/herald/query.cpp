#include <herald/query.hpp>

#include <herald/payload.hpp>

#include <algorithm>

namespace herald {

namespace {

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base 64 for addresses (RFC 4648, section 5), without padding.
std::string to_text(std::string_view bytes) {
  std::string text;
  std::uint32_t held = 0;
  unsigned bits = 0;
  for (const char byte : bytes) {
    held = (held << 8) | static_cast<unsigned char>(byte);
    for (bits += 8; bits >= 6; bits -= 6) text.push_back(digits[(held >> (bits - 6)) & 63]);
  }
  if (bits > 0) text.push_back(digits[(held << (6 - bits)) & 63]);
  return text;
}

std::optional<std::string> from_text(std::string_view text) {
  std::string bytes;
  std::uint32_t held = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const std::size_t digit = digits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    held = (held << 6) | static_cast<std::uint32_t>(digit);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push_back(static_cast<char>((held >> bits) & 0xff));
    }
  }
  return bytes;
}

/// Tells orders apart: FNV-1a over the resource's name and the order's attributes.
std::uint32_t fingerprint(const query& of) {
  std::uint32_t hash = 2166136261U;
  const auto mix = [&](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  };
  mix(of.resource->name);
  for (const auto& part : of.order) {
    mix(part.descending ? "-" : "+");
    mix(of.resource->attributes[part.attribute].name);
  }
  return hash;
}

error no_keyset(const query& of, std::string_view why) {
  return {resource_errc::invalid_keyset, std::string{"resource "}
                                             .append(of.resource->name)
                                             .append(": this keyset does not say where a page begins: ")
                                             .append(why)};
}

condition attribute_is(std::size_t attribute, comparison how, const value& with) {
  return condition::compare({}, how, with).on(attribute);
}
condition attribute_is_null(std::size_t attribute) { return condition::is_null({}).on(attribute); }
condition same_value(std::size_t attribute, const value& as) {
  return as.is_null() ? attribute_is_null(attribute) : attribute_is(attribute, comparison::equal, as);
}

/// What comes after a value in one part of an order; nothing when nothing does.
std::optional<condition> beyond(const query& of, const query::order_part& part, const value& at) {
  const bool nullable = of.resource->attributes[part.attribute].nullable();
  if (!part.descending) {
    if (at.is_null()) return condition::negation(attribute_is_null(part.attribute));
    return attribute_is(part.attribute, comparison::more, at);
  }
  if (at.is_null()) return std::nullopt;
  condition less = attribute_is(part.attribute, comparison::less, at);
  if (!nullable) return less;
  return condition::any_of({std::move(less), attribute_is_null(part.attribute)});
}

}  // namespace

result<void> complete(query& of, std::string_view tenant, bool all_tenants) {
  const resource_table& resource = *of.resource;
  if (auto resolved = of.where.resolve(resource); !resolved) return resolved;
  for (const std::uint8_t key : resource.key) {
    const bool there = std::any_of(of.order.begin(), of.order.end(), [&](const auto& part) { return part.attribute == key; });
    if (!there) of.order.push_back({key, false});
  }
  if (!resource.has_tenant() || all_tenants) return {};
  if (tenant.empty())
    return error{resource_errc::tenant_required,
                 "resource " + std::string{resource.name} + ": its rows belong to tenants, and none was named"};
  std::vector<condition> both;
  both.push_back(attribute_is(resource.tenant, comparison::equal, value{std::string{tenant}}));
  if (of.where.what() != condition::form::everything) both.push_back(std::move(of.where));
  of.where = condition::all_of(std::move(both));
  return {};
}

std::string keyset_after(const query& of, const record& last) {
  std::string bytes(1, '\1');
  const std::uint32_t hash = fingerprint(of);
  for (unsigned i = 0; i < 4; ++i) bytes.push_back(static_cast<char>((hash >> (8 * i)) & 0xff));
  for (const auto& part : of.order) encode_value(last.get(part.attribute), bytes);
  return to_text(bytes);
}

result<void> begin_after(query& of, std::string_view keyset) {
  const auto bytes = from_text(keyset);
  if (!bytes || bytes->size() < 5 || bytes->front() != '\1') return no_keyset(of, "it is damaged");
  std::uint32_t hash = 0;
  for (unsigned i = 0; i < 4; ++i) hash |= std::uint32_t{static_cast<unsigned char>((*bytes)[1 + i])} << (8 * i);
  if (hash != fingerprint(of)) return no_keyset(of, "it is of a query with another order");
  std::string_view rest = std::string_view{*bytes}.substr(5);
  std::vector<value> at(of.order.size());
  for (std::size_t i = 0; i < at.size(); ++i) {
    const auto& attribute = of.resource->attributes[of.order[i].attribute];
    if (!decode_value(rest, at[i])) return no_keyset(of, "it is damaged");
    if (at[i].is_null() ? !attribute.nullable() : at[i].type() != attribute.type())
      return no_keyset(of, std::string{"its value of "}.append(attribute.name).append(" has the wrong type"));
  }
  if (!rest.empty()) return no_keyset(of, "it is damaged");
  // a > 1, or a = 1 and b > 2, or a = 1 and b = 2 and c > 3.
  std::vector<condition> ways;
  for (std::size_t i = 0; i < at.size(); ++i) {
    auto more = beyond(of, of.order[i], at[i]);
    if (!more) continue;
    std::vector<condition> all;
    for (std::size_t k = 0; k < i; ++k) all.push_back(same_value(of.order[k].attribute, at[k]));
    all.push_back(std::move(*more));
    ways.push_back(condition::all_of(std::move(all)));
  }
  std::vector<condition> both;
  if (of.where.what() != condition::form::everything) both.push_back(std::move(of.where));
  both.push_back(condition::any_of(std::move(ways)));
  of.where = condition::all_of(std::move(both));
  return {};
}

bool comes_before(const query& of, const record& left, const record& right) {
  for (const auto& part : of.order) {
    const auto order = left.get(part.attribute) <=> right.get(part.attribute);
    if (order != 0) return part.descending ? order > 0 : order < 0;
  }
  return false;
}

}  // namespace herald
