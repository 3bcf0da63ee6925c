// Any text as JSON of a row, an event and inputs, and as a time: it is read or refused with a sentence, and what was read is written
// and read again as the same.

#include "fuzz_table.hpp"

#include <herald/json.hpp>

namespace {

void require(bool holds) {
  if (!holds) __builtin_trap();
}

void read_event(const herald::resource_table& table, std::string_view text) {
  const herald::resource_table* const all[] = {&table};
  const auto event = herald::event_from_json(all, text);
  if (!event) return require(!event.error().to_string().empty());
  const std::string written = herald::to_json(**event);
  const auto again = herald::event_from_json(all, written);
  require(again.has_value());
  require(herald::to_json(**again) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto& table = fuzz::table();
  if (const auto time = herald::time_from_text(text)) require(herald::time_from_text(herald::to_text(*time)) == time);
  if (const auto inputs = herald::inputs_from_json(table, "make", text)) {
    for (const herald::named_value& one : *inputs) static_cast<void>(one.value.view().describe());
  }
  read_event(table, text);
  const auto row = herald::row_from_json(table, text);
  if (!row) {
    require(!row.error().to_string().empty());
    return 0;
  }
  const std::string written = herald::to_json(*row);
  const auto again = herald::row_from_json(table, written);
  require(again.has_value());
  require(herald::to_json(*again) == written);
  return 0;
}
