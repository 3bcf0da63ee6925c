#include <herald/dsl/structure.hpp>

namespace herald::detail {

namespace {

const attribute_info* field_named(const resource_table& fields, std::string_view name) {
  if (const std::size_t at = fields.find_attribute(name); at != resource_table::none) return &fields.attributes[at];
  for (const attribute_info& field : fields.attributes) {
    if (field.was == name && !name.empty()) return &field;
  }
  return nullptr;
}

}  // namespace

cast_status set_fields(const resource_table& fields, void* object, const value_view& from) {
  cast_status all = cast_status::ok;
  from.each_entry([&](const map_entry& entry) {
    if (all != cast_status::ok) return;
    if (entry.key.type() != value_type::text) {
      all = cast_status::wrong_type;
      return;
    }
    const attribute_info* const field = field_named(fields, entry.key.text());
    if (field == nullptr) return;  // of another version
    const cast_status status = field->set(object, entry.held);
    all = status == cast_status::is_null ? cast_status::wrong_type : status;
  });
  return all;
}

void each_field(const resource_table& fields, const void* object, void* to, void (*visit)(void* to, const map_entry& entry)) {
  for (const attribute_info& field : fields.attributes) visit(to, {field.name, field.get(object), field.sensitive});
}

void hide_fields(const resource_table& fields, void* object) {
  const auto blank = fields.make();
  for (std::size_t i = 0; i < fields.attributes.size(); ++i) {
    const attribute_info& field = fields.attributes[i];
    if ((fields.sensitive & bit(i)) != 0) field.copy(object, blank.get());
    if ((fields.secrets_inside & bit(i)) != 0) field.ops->hide(field.at_mutable(object));
  }
}

}  // namespace herald::detail
