#include "storage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace herald::detail {

result<void> storage::backup(const std::string& to) {
  return error{resource_errc::invalid, fmt::format("backup '{}' was not made: a store of kind {} cannot be copied", to, capabilities().kind)};
}

result<void> check_tables(std::span<const resource_table* const> tables) {
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const auto name = tables[i]->name;
    if (name.empty() || name.starts_with("herald_") || name.starts_with("sqlite_")) {
      return error{resource_errc::schema_mismatch,
                   fmt::format("resource '{}' cannot be stored: names that are empty or begin with 'herald_' or 'sqlite_' are "
                               "reserved; name it otherwise",
                               name)};
    }
    for (std::size_t k = 0; k < i; ++k) {
      if (tables[k]->name == name) {
        return error{resource_errc::schema_mismatch,
                     fmt::format("resource '{}' is described twice for one store, and each name may stand for one", name)};
      }
    }
  }
  return {};
}

error unknown_resource(std::string_view store, const resource_table& resource) {
  return {resource_errc::no_such_resource,
          fmt::format("{} does not have resource '{}'; list it when the store is opened", store, resource.name)};
}

error already_taken(const resource_table& resource, const record& row, attribute_mask attributes,
                    std::string_view identity) {
  std::vector<field_error> fields;
  std::string what;
  for (std::size_t i = 0; i < resource.attributes.size(); ++i) {
    if ((attributes & bit(i)) == 0 || (i == resource.tenant && attributes != bit(i))) continue;
    const auto& attribute = resource.attributes[i];
    fields.push_back({std::string{attribute.name}, "has already been taken"});
    const auto shown = attribute.sensitive ? std::string{"(sensitive)"} : row.get(i).describe();
    what += fmt::format("{}{} {}", what.empty() ? "" : ", ", attribute.name, shown);
  }
  return {resource_errc::taken,
          fmt::format("{}: a row with this {} exists already: {}", resource.name,
                      identity.empty() ? "primary key" : fmt::format("identity '{}'", identity), what),
          std::move(fields)};
}

error no_key_left(const resource_table& resource) {
  return {resource_errc::invalid,
          fmt::format("resource {}: its generated keys have come to their end", resource.name),
          {{std::string{resource.attributes[resource.key[0]].name},
            fmt::format("has no value left above {}", std::numeric_limits<std::int64_t>::max())}}};
}

error reading_inside(std::string_view store) {
  return {resource_errc::would_block,
          fmt::format("{} was read from inside one of its own actions, which would wait for itself; use the "
                      "transaction's find",
                      store)};
}

error offset_gone(std::string_view store, const offset& asked, const offset& head, std::uint64_t floor) {
  const auto why = asked.epoch != head.epoch          ? "it is of another epoch"
                   : asked.sequence > head.sequence ? "it lies above the newest event"
                                                      : "it lies below the floor";
  return {resource_errc::gone,
          fmt::format("{}: offset {} is gone: {}; the log has {} to {} of epoch {:016x}; take a snapshot and go on from "
                      "its offset",
                      store, asked.to_string(), why, floor, head.sequence, head.epoch)};
}

const resource_table* table_index::by_name(std::string_view name) const noexcept {
  const auto found = std::find_if(tables_.begin(), tables_.end(), [&](const auto* table) { return table->name == name; });
  return found == tables_.end() ? nullptr : *found;
}

}  // namespace herald::detail
