#include <herald/changeset.hpp>

#include <stdexcept>

namespace herald {

std::size_t change_context::attribute(const void* tag, std::string_view name) const {
  const auto attributes = resource_.attributes;
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    if (attributes[i].tag == tag) return i;
  }
  throw std::logic_error{std::string{resource_.name}.append(".").append(action_.name).append(": the member ").append(
      name).append(" is not an attribute of the resource")};
}

bool change_context::changing(std::size_t attribute) const {
  if (!before_) return (touched_ & detail::bit(attribute)) != 0;
  return !resource_.attributes[attribute].same(before_.row(), row_.row());
}

void change_context::add_error(std::string_view field, std::string message) {
  errors_.push_back({std::string{field}, std::move(message)});
}

void change_context::add(check outcome, std::string_view message) {
  if (outcome.ok) return;
  if (outcome.message.empty()) outcome.message = message.empty() ? std::string_view{"is invalid"} : message;
  add_error(outcome.field, std::move(outcome.message));
}

}  // namespace herald
