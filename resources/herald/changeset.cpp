#include <herald/changeset.hpp>

#include <herald/detail/constraints.hpp>
#include <herald/topic.hpp>

#include <algorithm>
#include <stdexcept>

namespace herald {

std::size_t change_context::attribute(const void* tag, std::string_view name) const {
  const auto attributes = resource().attributes;
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    if (attributes[i].tag == tag) return i;
  }
  throw std::logic_error{std::string{resource().name}.append(".").append(action().name).append(": the member ").append(
      name).append(" is not an attribute of the resource")};
}

std::size_t change_context::argument(const void* tag, std::string_view name) const {
  const auto arguments = resource().arguments_of(action());
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].info.tag == tag) return i;
  }
  throw std::logic_error{std::string{resource().name}.append(".").append(action().name).append(": the member ").append(
      name).append(" is not an argument of the action")};
}

bool change_context::changing(std::size_t attribute) const {
  if (!before_) return (touched_ & detail::bit(attribute)) != 0;
  return !resource().attributes[attribute].same(before_.row(), row_);
}

void change_context::add_error(std::string_view field, std::string message) {
  errors_.push_back({std::string{field}, std::move(message)});
}

void change_context::add_out_of_range(std::size_t attribute, const value_view& number) {
  const detail::attribute_info& info = resource().attributes[attribute];
  add_error(info.name, detail::cast_message(info, number, cast_status::out_of_range));
}

void change_context::add(check outcome, std::string_view message) {
  if (outcome.ok) return;
  if (outcome.message.empty()) outcome.message = message.empty() ? std::string_view{"is invalid"} : message;
  add_error(outcome.field, std::move(outcome.message));
}

void change_context::put_metadata(std::string_view name, value held) {
  const auto known = std::find_if(metadata_.begin(), metadata_.end(), [&](const auto& one) { return one.name == name; });
  if (known != metadata_.end()) {
    known->value = std::move(held);
  } else {
    metadata_.push_back({std::string{name}, std::move(held)});
  }
}

void change_context::tell(std::string topic, std::string name) {
  if (event_made_)
    throw std::logic_error{"a hook told the topic \"" + topic +
                           "\", and the event was written already: tell it before the row is written"};
  if (const auto fine = check_topic(topic); !fine) throw std::logic_error{fine.error().message()};
  told_.emplace_back(std::move(topic), std::move(name));
}

std::vector<std::pair<std::string, std::string>> change_context::take_told() {
  event_made_ = true;
  return std::exchange(told_, {});
}

}  // namespace herald
