#include <herald/action.hpp>

#include <herald/authorise.hpp>
#include <herald/detail/constraints.hpp>

#include <algorithm>
#include <exception>

namespace herald {

namespace {

using detail::action_info;
using detail::argument_info;
using detail::attribute_mask;
using detail::bit;
using detail::name_of;

std::string inputs_of(const resource_table& resource, const action_info& action) {
  std::string text;
  const auto add = [&](std::string_view name) { text.append(text.empty() ? "" : ", ").append(name); };
  for (std::size_t i = 0; i < resource.attributes.size(); ++i) {
    if ((action.accepts & bit(i)) != 0) add(resource.attributes[i].name);
  }
  for (const argument_info& argument : resource.arguments_of(action)) {
    if (argument.by_name) add(argument.info.name);
  }
  return text.empty() ? "nothing" : text;
}

}  // namespace

result<void> authorise_subscription(const resource_table& resource, const actor& who, std::string_view topic) {
  try {
    if (resource.authorise_subscription == nullptr || resource.authorise_subscription(who, topic)) return {};
  } catch (const std::exception& why) {
    return error{resource_errc::hook_failed,
                 std::string{"resource "}.append(resource.name).append(": authorise_subscription threw: ").append(why.what())};
  }
  return error{resource_errc::forbidden, std::string{"resource "}
                                             .append(resource.name)
                                             .append(": the topic ")
                                             .append(topic)
                                             .append(" is not for ")
                                             .append(who.name().empty() ? "nobody" : who.name())};
}

result<std::uint16_t> action_by_name(const resource_table& resource, std::string_view action) {
  const std::size_t at = resource.find_action(action);
  if (at != resource_table::none) return static_cast<std::uint16_t>(at);
  std::string names;
  for (const action_info& one : resource.actions) names.append(names.empty() ? "" : ", ").append(one.name);
  return error{resource_errc::no_such_action, std::string{"resource "}
                                                  .append(resource.name)
                                                  .append(" has no action \"")
                                                  .append(action)
                                                  .append("\"; it has ")
                                                  .append(names.empty() ? "none" : names)};
}

void detail::note_out_of_range(action_request& request, const attribute_info& of, const value_view& number) {
  request.wrong.push_back({std::string{of.name}, cast_message(of, number, cast_status::out_of_range)});
}

result<action_request> request_by_name(const resource_table& resource, std::string_view action,
                                       std::span<const named_value> inputs) {
  const auto number = action_by_name(resource, action);
  if (!number) return number.error();
  const action_info& info = resource.actions[*number];
  action_request request{.resource = &resource, .action = *number};
  draft input{resource};
  std::vector<field_error> unknown;
  std::vector<field_error> wrong;
  for (const named_value& given : inputs) {
    const std::size_t at = resource.find_attribute(given.name);
    const auto arguments = resource.arguments_of(info);
    const auto argument = std::find_if(arguments.begin(), arguments.end(), [&](const argument_info& one) {
      return one.by_name && one.info.name == given.name;
    });
    if (argument != arguments.end()) {
      request.arguments.resize(arguments.size());
      const auto place = static_cast<std::size_t>(argument - arguments.begin());
      if (const cast_status status = argument->cast(given.value, request.arguments[place]); status != cast_status::ok) {
        wrong.push_back({given.name, detail::cast_message(argument->info, given.value, status)});
      } else if (auto what = detail::stranger_inside(argument->info, given.value)) {
        wrong.push_back({given.name, *std::move(what)});
      } else {
        request.arguments_given |= bit(place);
      }
    } else if (at == resource_table::none) {
      unknown.push_back({given.name, "is no input"});
    } else if ((info.accepts & bit(at)) == 0) {
      wrong.push_back({given.name, "cannot be changed"});
    } else if (const cast_status status = input.set(at, given.value); status != cast_status::ok) {
      wrong.push_back({given.name, detail::cast_message(resource.attributes[at], given.value, status)});
    } else if (auto what = detail::stranger_inside(resource.attributes[at], given.value)) {
      wrong.push_back({given.name, *std::move(what)});
    } else {
      request.given |= bit(at);
    }
  }
  if (!unknown.empty())
    return error{resource_errc::no_such_input,
                 name_of(resource, info).append(" takes ").append(inputs_of(resource, info)), std::move(unknown)};
  if (!wrong.empty())
    return error{resource_errc::invalid, name_of(resource, info).append(" was refused"), std::move(wrong)};
  if (request.given != 0) request.input = std::move(input).freeze();
  return request;
}

}  // namespace herald
