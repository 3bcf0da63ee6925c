#pragma once
// The problem: events outlive the program that wrote them. A payload keeps an event's rows and metadata as bytes that a
// later program, whose struct has gained or lost attributes, still reads. The format is docs/formats/payload.md.
//
// A payload names its `layout` (the attributes' names and types at the time of writing) by number; the store keeps each
// layout once, beside the log. Sensitive attributes are not in a payload at all.
//
// What a payload does not hold, the log keeps in columns of its own: offset, resource, action, kind, tenant, time, routes.
//
// Thread safety: functions: safe; layout_book: distinct objects: safe, shared objects: safe to read.
// Errors: resource_errc::corrupt when bytes cannot be read; the sentence names the resource and the place.

#include <herald/event_record.hpp>
#include <herald/resource_error.hpp>

namespace herald {

/// Appends the payload of an event (key, before, after, changed, metadata) to `out`.
void encode_payload(const event_record& event, std::string& out);

/// Appends the layout that `table.layout` stands for, to be kept beside the log.
void encode_layout(const resource_table& table, std::string& out);

/// The layouts of one log, and how each maps to the resources of this program.
class layout_book {
 public:
  /// A resource's own layout of today.
  void add(const resource_table& table);
  /// A stored layout, as encode_layout wrote it.
  result<void> add(std::uint32_t layout, const resource_table& table, std::string_view encoded);

  /// Fills key, before, after, changed and metadata of an event whose `resource` and `kind` are set.
  result<void> decode(std::string_view payload, event_record& into) const;

 private:
  struct entry {
    std::uint32_t layout;
    const resource_table* table;
    std::vector<std::uint8_t> attributes;  // stored position -> attribute, 255: unknown today
    detail::attribute_mask sensitive;      // stored positions that have no bytes
    detail::attribute_mask known;          // today's attributes that it has; all bits: it lacks none
  };
  std::vector<entry> entries_;
};

/// A key as bytes: the same key always gives the same bytes, and different keys different ones.
void encode_key(const row_key& key, std::string& out);
[[nodiscard]] result<row_key> decode_key(std::string_view encoded);

enum class secrets : bool { left_out, kept };
/// One value with its type, self-contained. Sensitive fields of structs inside: kept for a store's own rows, never for an event.
void encode_value(const value_view& from, std::string& out, secrets inside = secrets::left_out);
/// Reads one encoded value from the front of `in` and cuts it off there. False when the bytes are damaged.
[[nodiscard]] bool decode_value(std::string_view& in, value& to);

}  // namespace herald
