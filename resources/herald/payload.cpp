#include <herald/detail/value_bytes.hpp>
#include <herald/payload.hpp>

namespace herald {

namespace {

constexpr char format = 1;
constexpr std::uint8_t has_before = 1;
constexpr std::uint8_t has_after = 2;
constexpr std::uint8_t has_actor = 4;
constexpr std::uint8_t unknown_attribute = 255;

using namespace detail;

/// Reads a value from `in` into an attribute of `row`, or over it when there is no row or no such attribute today.
bool decode_into(std::string_view& in, const resource_table& table, std::uint8_t attribute, const draft* row, event_record& of) {
  value_view view;
  value owned;
  if (!take_value(in, owned, view)) return false;
  if (row == nullptr || attribute == unknown_attribute || (table.sensitive & detail::bit(attribute)) != 0) return true;
  if (row->set(attribute, view) == cast_status::ok) return true;
  // What does not fit any more is as in a new row.
  table.attributes[attribute].set_initial(row->row());
  of.told &= ~detail::bit(attribute);
  return true;
}

error corrupt(const event_record& event, std::string_view what) {
  return {resource_errc::corrupt, std::string{"the payload of event "}
                                      .append(std::to_string(event.at.sequence))
                                      .append(" of resource ")
                                      .append(event.resource->name)
                                      .append(" is damaged: ")
                                      .append(what)};
}

void put_row(const record& row, detail::attribute_mask which, std::string& out) {
  const auto attributes = row.table().attributes;
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    if ((which & detail::bit(i)) != 0) encode_value(attributes[i].get(row.row()), out);
  }
}

}  // namespace

void encode_key(const row_key& key, std::string& out) {
  append_varint(out, key.size());
  for (std::size_t i = 0; i < key.size(); ++i) encode_value(key[i], out);
}

namespace {

bool take_key(std::string_view& in, row_key& to) {
  std::uint64_t count = 0;
  if (!take_number(in, count) || count > detail::max_attributes) return false;
  std::vector<value> parts(count);
  for (value& part : parts) {
    if (!decode_value(in, part) || part.is_null()) return false;
  }
  to = row_key{std::move(parts)};
  return true;
}

}  // namespace

result<row_key> decode_key(std::string_view encoded) {
  row_key key;
  if (!take_key(encoded, key) || !encoded.empty())
    return error{resource_errc::corrupt, "a stored key is damaged: " + std::to_string(encoded.size()) +
                                             " bytes are left that are no part of it"};
  return key;
}

void encode_payload(const event_record& event, std::string& out) {
  const resource_table& table = *event.resource;
  const detail::attribute_mask open = ~table.sensitive;
  out.push_back(format);
  put_fixed(table.layout, out);
  encode_key(event.key, out);
  append_varint(out, event.changed);
  out.push_back(static_cast<char>((event.before ? has_before : 0) | (event.after ? has_after : 0) |
                                  (event.actor.empty() ? 0 : has_actor)));
  if (!event.actor.empty()) put_text(event.actor, out);
  if (event.before) put_row(event.before, event.after ? open & event.changed : open, out);
  if (event.after) put_row(event.after, open, out);
  append_varint(out, event.metadata.size());
  for (const named_value& entry : event.metadata) {
    put_text(entry.name, out);
    encode_value(entry.value, out);
  }
}

void encode_layout(const resource_table& table, std::string& out) {
  out.push_back(format);
  append_varint(out, table.attributes.size());
  for (const detail::attribute_info& attribute : table.attributes) {
    put_text(attribute.name, out);
    out.push_back(static_cast<char>(attribute.type()));
    out.push_back(attribute.sensitive ? 1 : 0);
  }
}

void layout_book::add(const resource_table& table) {
  std::string encoded;
  encode_layout(table, encoded);
  static_cast<void>(add(table.layout, table, encoded));
}

result<void> layout_book::add(std::uint32_t layout, const resource_table& table, std::string_view encoded) {
  for (const entry& known : entries_) {
    if (known.layout == layout && known.table == &table) return {};
  }
  const auto damaged = [&] {
    return error{resource_errc::corrupt, "a stored layout of resource " + std::string{table.name} + " is damaged"};
  };
  entry made{layout, &table, {}, 0, 0};
  std::uint8_t version = 0;
  std::uint64_t count = 0;
  if (!take_byte(encoded, version) || version != format || !take_number(encoded, count) ||
      count > detail::max_attributes)
    return damaged();
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string_view name;
    std::uint8_t type = 0;
    std::uint8_t sensitive = 0;
    if (!take_text(encoded, name) || !take_byte(encoded, type) || !take_byte(encoded, sensitive)) return damaged();
    std::size_t at = table.find_attribute(name);
    for (std::size_t k = 0; at == resource_table::none && k < table.attributes.size(); ++k) {
      if (table.attributes[k].was == name) at = k;
    }
    made.attributes.push_back(at == resource_table::none ? unknown_attribute : static_cast<std::uint8_t>(at));
    if (sensitive != 0) made.sensitive |= detail::bit(i);
    if (sensitive == 0 && at != resource_table::none) made.known |= detail::bit(at);
  }
  // All of today's, but those that no event has: then there is nothing to fill in.
  detail::attribute_mask open = 0;
  for (std::size_t i = 0; i < table.attributes.size(); ++i) open |= detail::bit(i);
  open &= ~table.sensitive;
  if ((made.known & open) == open) made.known = ~detail::attribute_mask{0};
  entries_.push_back(std::move(made));
  return {};
}

result<void> layout_book::decode(std::string_view payload, event_record& into) const {
  const resource_table& table = *into.resource;
  std::uint8_t version = 0;
  std::uint32_t layout = 0;
  if (!take_byte(payload, version) || !take_fixed(payload, layout)) return corrupt(into, "it is too short");
  if (version != static_cast<std::uint8_t>(format))
    return corrupt(into, "its format is " + std::to_string(version) + ", this program reads format 1");
  const entry* found = nullptr;
  for (const entry& known : entries_) {
    if (known.layout == layout && known.table == &table) found = &known;
  }
  if (found == nullptr) return corrupt(into, "its layout is not in the log");

  std::uint64_t changed = 0;
  std::uint8_t rows = 0;
  if (!take_key(payload, into.key)) return corrupt(into, "its key cannot be read");
  if (!take_number(payload, changed) || !take_byte(payload, rows) || rows > (has_before | has_after | has_actor))
    return corrupt(into, "its head cannot be read");
  if ((rows & has_actor) != 0) {
    std::string_view actor;
    if (!take_text(payload, actor)) return corrupt(into, "its actor cannot be read");
    into.actor = actor;
    rows &= has_before | has_after;
  }

  into.changed = 0;
  for (std::size_t i = 0; i < found->attributes.size(); ++i) {
    if ((changed & detail::bit(i)) != 0 && found->attributes[i] != unknown_attribute)
      into.changed |= detail::bit(found->attributes[i]);
  }
  const bool partly = rows == (has_before | has_after);
  into.told = found->known;
  const auto read = [&](std::string_view& from, const draft* row, detail::attribute_mask which) {
    for (std::size_t i = 0; i < found->attributes.size(); ++i) {
      if ((which & ~found->sensitive & detail::bit(i)) != 0 && !decode_into(from, table, found->attributes[i], row, into))
        return false;
    }
    return true;
  };
  // An attribute that was not there then is as in a new row.
  const auto begin_row = [&] {
    draft row{table};
    for (std::size_t i = 0; found->known != ~detail::attribute_mask{0} && i < table.attributes.size(); ++i) {
      if (((found->known | table.sensitive) & detail::bit(i)) == 0) table.attributes[i].set_initial(row.row());
    }
    return row;
  };
  constexpr detail::attribute_mask all = ~detail::attribute_mask{0};
  std::string_view changes = payload;  // the changed attributes of `before` stand first, but rest on `after`
  if (partly) {
    if (!read(payload, nullptr, changed)) return corrupt(into, "the row before cannot be read");
  } else if ((rows & has_before) != 0) {
    draft before = begin_row();
    if (!read(payload, &before, all)) return corrupt(into, "the row before cannot be read");
    into.before = std::move(before).freeze();
  }
  if ((rows & has_after) != 0) {
    draft after = begin_row();
    if (!read(payload, &after, all)) return corrupt(into, "the row after cannot be read");
    into.after = std::move(after).freeze();
  }
  if (partly) {
    draft before{into.after};
    static_cast<void>(read(changes, &before, changed));
    into.before = std::move(before).freeze();
  }

  std::uint64_t entries = 0;
  if (!take_number(payload, entries) || entries > payload.size()) return corrupt(into, "its metadata cannot be read");
  into.metadata.clear();
  into.metadata.reserve(entries);
  for (std::uint64_t i = 0; i < entries; ++i) {
    std::string_view name;
    value held;
    if (!take_text(payload, name) || !decode_value(payload, held)) return corrupt(into, "its metadata cannot be read");
    into.metadata.push_back({std::string{name}, std::move(held)});
  }
  if (!payload.empty()) return corrupt(into, std::to_string(payload.size()) + " bytes follow its end");
  return {};
}

}  // namespace herald
