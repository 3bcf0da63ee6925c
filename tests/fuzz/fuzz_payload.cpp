// Any bytes as the payload, the layout, a key or a value of an event: each is read or refused, never more, and what was read is
// written and read again as the same. The first byte says which; of a payload, the second and third how long its layout is.

#include "fuzz_table.hpp"

#include <herald/payload.hpp>

namespace {

void require(bool holds) {
  if (!holds) __builtin_trap();
}

void read_value(std::string_view in) {
  herald::value held;
  if (!herald::decode_value(in, held)) return;
  std::string again;
  herald::encode_value(held.view(), again);
  herald::value twice;
  std::string_view rest = again;
  require(herald::decode_value(rest, twice) && rest.empty() && twice == held);
  require(twice.view().hash() == held.view().hash());
  static_cast<void>(held.view().describe());
}

void read_key(std::string_view in) {
  const auto key = herald::decode_key(in);
  if (!key) return;
  std::string again;
  herald::encode_key(*key, again);
  require(herald::decode_key(again).value() == *key);
  static_cast<void>(key->to_string());
}

void read_payload(std::string_view in) {
  const auto& table = fuzz::table();
  herald::layout_book book;
  std::uint32_t layout = table.layout;
  if (in.size() >= 2) {
    const std::size_t wanted = static_cast<unsigned char>(in[0]) + 256U * static_cast<unsigned char>(in[1]);
    in.remove_prefix(2);
    const std::string_view stored = in.substr(0, wanted);
    in.remove_prefix(stored.size());
    if (!stored.empty()) {
      layout = 0x01010101;
      if (!book.add(layout, table, stored)) return;
    }
  }
  book.add(table);
  herald::event_record event;
  event.resource = &table;
  if (!book.decode(in, event)) return;
  std::string again;
  herald::encode_payload(event, again);
  herald::event_record twice;
  twice.resource = &table;
  require(book.decode(again, twice).has_value());
  require(twice.key == event.key && twice.changed == event.changed && twice.metadata == event.metadata);
  require(static_cast<bool>(twice.after) == static_cast<bool>(event.after));
  if (!event.after) return;
  for (std::size_t i = 0; i < table.attributes.size(); ++i) require(twice.after.get(i) == event.after.get(i));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view in{reinterpret_cast<const char*>(data) + 1, size - 1};
  switch (data[0] % 3) {
    case 0: read_payload(in); break;
    case 1: read_key(in); break;
    default: read_value(in); break;
  }
  return 0;
}
