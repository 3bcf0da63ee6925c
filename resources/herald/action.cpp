#include <herald/action.hpp>

#include <herald/changeset.hpp>
#include <herald/detail/constraints.hpp>
#include <herald/topics.hpp>

#include <exception>

namespace herald {

namespace {

using detail::action_info;
using detail::attribute_info;
using detail::attribute_mask;
using detail::attribute_role;
using detail::bit;

std::string name_of(const resource_table& resource, const action_info& action) {
  return std::string{resource.name}.append(".").append(action.name);
}

std::size_t attribute_with(const resource_table& resource, attribute_role role) {
  for (std::size_t i = 0; i < resource.attributes.size(); ++i) {
    if (resource.attributes[i].role == role) return i;
  }
  return resource_table::none;
}

/// One action while it runs. Its functions are in the order in which they are called.
class execution {
 public:
  execution(transaction& tx, const action_request& request)
      : tx_{tx}, request_{request}, resource_{*request.resource}, action_{resource_.actions[request.action]} {}

  result<action_outcome> run() {
    switch (action_.kind) {
      case op::create: return create();
      case op::update: return update();
      case op::destroy: return destroy();
    }
    return refused(resource_errc::wrong_action_kind, " is of no known kind");
  }

 private:
  result<action_outcome> create() {
    draft row = request_.input ? draft{request_.input} : draft{resource_};
    if (auto filled = fill_in(row); !filled) return filled.error();
    const record before;
    if (auto shaped = shape(before, row, ~attribute_mask{0}); !shaped) return shaped.error();
    action_outcome outcome{.kind = event_kind::created, .after = std::move(row).freeze()};
    if (auto written = tx_.insert(outcome.after); !written) return written.error();
    return finish(std::move(outcome), all_attributes());
  }

  result<action_outcome> update() {
    auto found = find();
    if (!found) return found.error();
    const record before = std::move(*found);
    draft row{before};
    for (std::size_t i = 0; i < resource_.attributes.size(); ++i) {
      if ((request_.given & bit(i)) != 0) resource_.attributes[i].copy(row.row(), request_.input.row());
    }
    if (auto shaped = shape(before, row, 0); !shaped) return shaped.error();
    attribute_mask changed = differing(before, row);
    action_outcome outcome{.kind = event_kind::unchanged, .before = before, .after = before};
    if (changed != 0) {
      stamp(row);
      changed = differing(before, row);
      outcome.kind = event_kind::updated;
      outcome.after = std::move(row).freeze();
      if (auto written = tx_.update(before, outcome.after, changed); !written) return written.error();
    }
    return finish(std::move(outcome), changed);
  }

  result<action_outcome> destroy() {
    auto found = find();
    if (!found) return found.error();
    const record before = std::move(*found);
    draft row{before};
    if (auto shaped = shape(before, row, 0); !shaped) return shaped.error();
    if (auto written = tx_.erase(before); !written) return written.error();
    return finish({.kind = event_kind::destroyed, .before = before}, 0);
  }

  /// The row that the request names, in the version it expects.
  result<record> find() {
    auto found = tx_.find(resource_, request_.key);
    if (!found) return found;
    if (!*found) {
      return request_.from_copy
                 ? refused(resource_errc::stale, ": the row " + request_.key.to_string() + " was destroyed meanwhile")
                 : refused(resource_errc::not_found, ": there is no row " + request_.key.to_string());
    }
    const std::size_t lock = attribute_with(resource_, attribute_role::lock_version);
    if (request_.version && lock != resource_table::none && found->get(lock).integer() != *request_.version) {
      return refused(resource_errc::stale, ": the row " + request_.key.to_string() + " is at version " +
                                               std::to_string(found->get(lock).integer()) + ", the copy at " +
                                               std::to_string(*request_.version));
    }
    return found;
  }

  /// Create: what neither the caller nor the struct says.
  result<void> fill_in(draft& row) {
    const timestamp now = tx_.now();
    for (std::size_t i = 0; i < resource_.attributes.size(); ++i) {
      const attribute_info& attribute = resource_.attributes[i];
      if ((request_.given & bit(i)) != 0) continue;
      if (attribute.set_default != nullptr) attribute.set_default(attribute.at_mutable(row.row()));
      if (!attribute.default_value.is_null()) static_cast<void>(row.set(i, attribute.default_value));
      if (attribute.generated == detail::generated::uuid_v7) static_cast<void>(row.set(i, tx_.new_uuid()));
      if (attribute.generated == detail::generated::integer) {
        const auto next = tx_.next_integer(resource_);
        if (!next) return next.error();
        if (row.set(i, *next) != cast_status::ok)
          return refused(resource_errc::invalid, ": the next key does not fit its attribute's type",
                         {{std::string{attribute.name}, "has no value left above " + std::to_string(*next - 1)}});
      }
      if (attribute.role == attribute_role::inserted_at || attribute.role == attribute_role::updated_at)
        static_cast<void>(row.set(i, now));
    }
    return {};
  }

  /// Changes and validations in order, then what must hold of every row. `checked`: attributes to look at, besides the
  /// changed ones.
  result<void> shape(const record& before, draft& row, attribute_mask checked) {
    change_context context{tx_, action_, before, row, request_.given, tx_.now(), request_.tenant};
    for (const detail::step& step : resource_.steps_of(action_)) {
      if (step.kind == detail::step_kind::after || (step.where != nullptr && !step.where(context))) continue;
      step.run(context, step.message);
    }
    for (std::size_t i = 0; i < resource_.attributes.size(); ++i) {
      const attribute_info& attribute = resource_.attributes[i];
      const bool changes = before && !attribute.same(before.row(), row.row());
      if (changes && attribute.primary_key) context.add_error(attribute.name, "cannot be changed: it is the primary key");
      if (!changes && (checked & bit(i)) == 0) continue;
      if (auto what = detail::violation(resource_, attribute, attribute.get(row.row())))
        context.add_error(attribute.name, std::move(*what));
    }
    // A missing input often explains other errors badly and is explained by them well: only when there are none.
    if (context.valid()) require(context, row);
    if (context.valid()) return {};
    return refused(resource_errc::invalid, " was refused", std::move(context.errors()));
  }

  void require(change_context& context, const draft& row) const {
    for (std::size_t i = 0; i < resource_.attributes.size(); ++i) {
      const attribute_info& attribute = resource_.attributes[i];
      const bool input_missing = (action_.requires_inputs & ~request_.given & bit(i)) != 0;
      const bool value_missing = attribute.required && (attribute.get(row.row()).is_null() ||
                                                        (!context.before() && (context.touched() & bit(i)) == 0));
      if (input_missing || value_missing) context.add_error(attribute.name, "is required");
    }
  }

  /// An update that changes something says when, and counts the version.
  void stamp(draft& row) {
    for (std::size_t i = 0; i < resource_.attributes.size(); ++i) {
      const attribute_role role = resource_.attributes[i].role;
      if (role == attribute_role::updated_at) static_cast<void>(row.set(i, tx_.now()));
      if (role == attribute_role::lock_version) static_cast<void>(row.set(i, row.get(i).integer() + 1));
    }
  }

  result<action_outcome> finish(action_outcome outcome, attribute_mask changed) {
    if (request_.notify && (outcome.kind != event_kind::unchanged || request_.notify_unchanged)) {
      auto event = describe(outcome, changed);
      if (auto kept = tx_.append(event); !kept) return kept.error();
      outcome.event = std::move(event);
    }
    const record& row = outcome.after ? outcome.after : outcome.before;
    for (const detail::step& step : resource_.steps_of(action_)) {
      if (step.kind != detail::step_kind::after) continue;
      if (auto done = step.after(tx_, row.row()); !done) return done.error();
    }
    return outcome;
  }

  std::shared_ptr<event_record> describe(const action_outcome& outcome, attribute_mask changed) {
    auto event = std::make_shared<event_record>();
    event->resource = &resource_;
    event->action = request_.action;
    event->kind = outcome.kind;
    event->key = row_key::of(outcome.after ? outcome.after : outcome.before);
    event->before = without_secrets(outcome.before);
    event->after = without_secrets(outcome.after);
    event->changed = changed;
    event->time = tx_.now();
    event->tenant = request_.tenant;
    event->metadata = request_.metadata;
    expand_topics(event);
    return event;
  }

  record without_secrets(const record& row) const {
    if (!row || resource_.sensitive == 0) return row;
    draft open{row};
    const auto blank = resource_.make();
    for (std::size_t i = 0; i < resource_.attributes.size(); ++i) {
      if ((resource_.sensitive & bit(i)) != 0) resource_.attributes[i].copy(open.row(), blank.get());
    }
    return std::move(open).freeze();
  }

  attribute_mask differing(const record& before, const draft& row) const {
    attribute_mask mask = 0;
    for (std::size_t i = 0; i < resource_.attributes.size(); ++i) {
      if (!resource_.attributes[i].same(before.row(), row.row())) mask |= bit(i);
    }
    return mask;
  }
  attribute_mask all_attributes() const {
    const std::size_t count = resource_.attributes.size();
    return count == detail::max_attributes ? ~attribute_mask{0} : bit(count) - 1;
  }

  error refused(resource_errc code, std::string_view why, std::vector<field_error> fields = {}) const {
    return {code, name_of(resource_, action_).append(why), std::move(fields)};
  }

  transaction& tx_;
  const action_request& request_;
  const resource_table& resource_;
  const action_info& action_;
};

error hook_failed(const action_request& request, std::string_view what) {
  return {resource_errc::hook_failed, name_of(*request.resource, request.resource->actions[request.action])
                                          .append(": a change, validation or hook of it threw: ")
                                          .append(what)};
}

std::string names_of(const resource_table& resource, attribute_mask which) {
  std::string text;
  for (std::size_t i = 0; i < resource.attributes.size(); ++i) {
    if ((which & bit(i)) != 0) text.append(text.empty() ? "" : ", ").append(resource.attributes[i].name);
  }
  return text.empty() ? "nothing" : text;
}

}  // namespace

result<action_outcome> apply(transaction& tx, const action_request& request) {
  try {
    return execution{tx, request}.run();
  } catch (const std::exception& why) {
    return hook_failed(request, why.what());
  } catch (...) {
    return hook_failed(request, "something that is no std::exception");
  }
}

result<void> run_nested(transaction& tx, const action_request& request, result<action_outcome>& outcome) {
  if (auto begun = tx.savepoint(); !begun) return begun;
  outcome = apply(tx, request);
  return outcome ? tx.release() : tx.rollback_to();
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
    if (at == resource_table::none) {
      unknown.push_back({given.name, "is no input"});
    } else if ((info.accepts & bit(at)) == 0) {
      wrong.push_back({given.name, "cannot be changed"});
    } else if (const cast_status status = input.set(at, given.value); status != cast_status::ok) {
      wrong.push_back({given.name, detail::cast_message(resource.attributes[at], given.value, status)});
    } else {
      request.given |= bit(at);
    }
  }
  if (!unknown.empty())
    return error{resource_errc::no_such_input,
                 name_of(resource, info).append(" takes ").append(names_of(resource, info.accepts)), std::move(unknown)};
  if (!wrong.empty())
    return error{resource_errc::invalid, name_of(resource, info).append(" was refused"), std::move(wrong)};
  if (request.given != 0) request.input = std::move(input).freeze();
  return request;
}

}  // namespace herald
