#include <herald/event_record.hpp>
#include <herald/resource_table.hpp>

#include <array>

namespace herald {

std::string_view to_string(op kind) noexcept {
  static constexpr std::array<std::string_view, 3> names{"create", "update", "destroy"};
  return names[static_cast<std::size_t>(kind)];
}

std::string_view to_string(event_kind kind) noexcept {
  static constexpr std::array<std::string_view, 4> names{"created", "updated", "destroyed", "unchanged"};
  return names[static_cast<std::size_t>(kind)];
}

std::size_t resource_table::find_attribute(std::string_view attribute_name) const noexcept {
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    if (attributes[i].name == attribute_name) return i;
  }
  return none;
}

std::size_t resource_table::find_action(std::string_view action_name) const noexcept {
  for (std::size_t i = 0; i < actions.size(); ++i) {
    if (actions[i].name == action_name) return i;
  }
  return none;
}

}  // namespace herald
