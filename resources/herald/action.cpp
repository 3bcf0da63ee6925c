#include <herald/action.hpp>

#include <herald/changeset.hpp>
#include <herald/detail/constraints.hpp>
#include <herald/detail/relations.hpp>
#include <herald/topics.hpp>

#include <algorithm>
#include <exception>
#include <limits>

namespace herald {

namespace {

using detail::action_info;
using detail::attribute_info;
using detail::attribute_mask;
using detail::attribute_role;
using detail::bit;
using detail::name_of;
using detail::step;
using detail::step_kind;

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
    if (!request_.wrong.empty()) return refused(resource_errc::invalid, " was refused", request_.wrong);
    if (resource_.has_tenant() && request_.tenant.empty() && !(request_.all_tenants && action_.kind != op::create))
      return refused(resource_errc::tenant_required, ": its rows belong to tenants, and none was named");
    if (auto taken = detail::take_arguments(request_, arguments_); !taken) return taken.error();
    switch (action_.kind) {
      case op::create: return create();
      case op::update: return change(event_kind::updated);
      case op::destroy: return action_.soft ? change(event_kind::destroyed) : destroy();
    }
    return refused(resource_errc::wrong_action_kind, " is of no known kind");
  }

 private:
  result<action_outcome> create() {
    draft row = request_.input ? draft{request_.input} : draft{resource_};
    if (auto filled = fill_in(row); !filled) return filled.error();
    change_context context{tx_, request_, arguments_, {}, row.row()};
    if (auto shaped = shape(context, ~attribute_mask{0}); !shaped) return shaped.error();
    const record made = std::move(row).freeze();
    if (action_.manual != nullptr) return by_hand(context, {.kind = event_kind::created});
    if (action_.upsert != action_info::no_upsert) {
      auto there = find_same(made);
      if (!there) return there.error();
      if (*there) return write_over(context, *there, made);
    }
    if (auto written = tx_.insert(made); !written) return written.error();
    return finish(context, {.kind = event_kind::created, .after = made}, all_attributes());
  }

  /// Update, and soft destroy.
  result<action_outcome> change(event_kind kind) {
    auto found = find();
    if (!found) return found.error();
    draft row{*found};
    for (std::size_t i = 0; i < resource_.attributes.size(); ++i) {
      if ((request_.given & bit(i)) != 0) resource_.attributes[i].copy(row.row(), request_.input.row());
    }
    change_context context{tx_, request_, arguments_, *found, row.row()};
    if (auto shaped = shape(context, 0); !shaped) return shaped.error();
    if (action_.manual != nullptr) return by_hand(context, {.kind = event_kind::updated, .before = *found});
    return write_change(context, std::move(row), kind);
  }

  /// The action's own function writes, through actions of its own; the engine has nothing to tell.
  result<action_outcome> by_hand(change_context& context, action_outcome outcome) {
    static_cast<void>(context.take_told());  // there is no event that could go anywhere
    auto made = action_.manual(context);
    if (!made) return made.error();
    if (!context.valid()) return refused(resource_errc::invalid, " was refused", std::move(context.errors()));
    outcome.after = *std::move(made);
    return finish_quietly(context, std::move(outcome));
  }

  result<action_outcome> write_change(change_context& context, draft row, event_kind kind) {
    const record before = context.before();
    attribute_mask changed = differing(before, row.row());
    if (changed == 0) return finish(context, {.kind = event_kind::unchanged, .before = before, .after = before}, 0);
    if (auto counted = stamp(row); !counted) return counted.error();
    changed = differing(before, row.row());
    const record after = std::move(row).freeze();
    if (auto written = tx_.update(before, after, changed); !written) return written.error();
    return finish(context, {.kind = kind, .before = before, .after = after}, changed);
  }

  result<action_outcome> destroy() {
    auto found = find();
    if (!found) return found.error();
    draft row{*found};
    change_context context{tx_, request_, arguments_, *found, row.row()};
    if (auto shaped = shape(context, 0); !shaped) return shaped.error();
    if (action_.manual != nullptr) return by_hand(context, {.kind = event_kind::destroyed, .before = *found});
    if (auto gone = detail::let_go(tx_, request_, *found); !gone) return gone.error();
    if (auto written = tx_.erase(*found); !written) return written.error();
    return finish(context, {.kind = event_kind::destroyed, .before = *found}, 0);
  }

  /// Upsert: the row that is there already.
  result<record> find_same(const record& made) {
    if (action_.upsert == action_info::by_key) return tx_.find(resource_, row_key::of(made));
    return tx_.find_by(resource_, action_.upsert, made);
  }

  result<action_outcome> write_over(change_context& context, const record& there, const record& made) {
    if (!visible(there)) return refused(resource_errc::taken, ": the row it would write over is another tenant's");
    if (action_.upsert_where != nullptr && !action_.upsert_where(there.row(), made.row()))
      return finish(context, {.kind = event_kind::unchanged, .before = there, .after = there}, 0);
    draft row{there};
    for (std::size_t i = 0; i < resource_.attributes.size(); ++i) {
      const attribute_info& attribute = resource_.attributes[i];
      if (!attribute.primary_key && attribute.role == attribute_role::plain && replaces(context, i))
        attribute.copy(row.row(), made.row());
    }
    context.become_update(there, row.row());
    check_attributes(context, 0);
    if (auto asked = detail::check_references(context, request_.all_tenants); !asked) return asked.error();
    if (!context.valid()) return refused(resource_errc::invalid, " was refused", std::move(context.errors()));
    return write_change(context, std::move(row), event_kind::updated);
  }

  bool replaces(const change_context& context, std::size_t attribute) const {
    switch (action_.replaces) {
      case detail::upsert_fields::touched: return (context.touched() & bit(attribute)) != 0;
      case detail::upsert_fields::all: return true;
      case detail::upsert_fields::these: return (action_.replaced & bit(attribute)) != 0;
      case detail::upsert_fields::all_except: return (action_.replaced & bit(attribute)) == 0;
    }
    return false;
  }

  bool visible(const record& row) const {
    return !resource_.has_tenant() || request_.all_tenants || row.get(resource_.tenant).text() == request_.tenant;
  }

  /// The row that the request names, in the version it expects. Another tenant's row is none.
  result<record> find() {
    auto found = tx_.find(resource_, request_.key);
    if (!found) return found;
    if (!*found || !visible(*found)) {
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
      if (attribute.role == attribute_role::tenant) static_cast<void>(row.set(i, value_view{request_.tenant}));
      if ((request_.given & bit(i)) != 0) continue;
      attribute.set_initial(row.row());
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

  /// May it be done; changes and validations in order; what must hold of every row; the hooks before writing. `checked`:
  /// attributes to look at, besides the changed ones.
  result<void> shape(change_context& context, attribute_mask checked) {
    if (auto may = authorise(context); !may) return may;
    bool has_hooks = false;
    for (const step& one : resource_.steps_of(action_)) {
      has_hooks = has_hooks || one.kind == step_kind::before;
      if (one.kind != step_kind::change && one.kind != step_kind::validate) continue;
      if (one.where == nullptr || one.where(context)) one.run(context, one.message);
    }
    check_attributes(context, checked);
    // A missing input often explains other errors badly and is explained by them well: only when there are none.
    if (context.valid()) require(context);
    if (context.valid() && has_hooks) {
      for (const step& one : resource_.steps_of(action_)) {
        if (one.kind == step_kind::before && (one.where == nullptr || one.where(context))) one.run(context, one.message);
      }
      check_attributes(context, checked);
      if (context.valid()) require(context);
    }
    if (context.valid()) {
      if (auto asked = detail::check_references(context, request_.all_tenants); !asked) return asked;
    }
    if (context.valid()) return {};
    return refused(resource_errc::invalid, " was refused", std::move(context.errors()));
  }

  result<void> authorise(change_context& context) const {
    const auto no = [&](const check& answer) {
      std::string who = request_.by.name().empty() ? std::string{"nobody"} : request_.by.name();
      return refused(resource_errc::forbidden,
                     " is not for " + who + (answer.message.empty() ? std::string{} : ": " + answer.message));
    };
    if (resource_.authorise != nullptr) {
      if (const check answer = resource_.authorise(context); !answer) return no(answer);
    }
    for (const step& one : resource_.steps_of(action_)) {
      if (one.kind != step_kind::authorise || (one.where != nullptr && !one.where(context))) continue;
      if (const check answer = one.may(context); !answer) return no(answer);
    }
    return {};
  }

  void check_attributes(change_context& context, attribute_mask checked) const {
    const record& before = context.before();
    for (std::size_t i = 0; i < resource_.attributes.size(); ++i) {
      const attribute_info& attribute = resource_.attributes[i];
      const bool changes = before && !attribute.same(before.row(), context.row());
      if (changes && attribute.primary_key) context.add_error(attribute.name, "cannot be changed: it is the primary key");
      if (changes && attribute.role == attribute_role::tenant) context.add_error(attribute.name, "cannot be changed: it is the tenant");
      if (!changes && (checked & bit(i)) == 0) continue;
      const value_view held = attribute.get(context.row());
      if (auto what = detail::violation(resource_, attribute, held)) context.add_error(attribute.name, std::move(*what));
      if (auto what = detail::wrong_move(resource_, attribute, before ? attribute.get(before.row()) : value_view{}, held,
                                         static_cast<bool>(before)))
        context.add_error(attribute.name, std::move(*what));
    }
  }

  void require(change_context& context) const {
    for (std::size_t i = 0; i < resource_.attributes.size(); ++i) {
      const attribute_info& attribute = resource_.attributes[i];
      const bool input_missing = (action_.requires_inputs & ~request_.given & bit(i)) != 0;
      const bool value_missing = attribute.required && (attribute.get(context.row()).is_null() ||
                                                        (!context.before() && (context.touched() & bit(i)) == 0));
      if (input_missing || value_missing) context.add_error(attribute.name, "is required");
    }
  }

  /// An update that changes something says when, and counts the version.
  result<void> stamp(draft& row) {
    for (std::size_t i = 0; i < resource_.attributes.size(); ++i) {
      const attribute_role role = resource_.attributes[i].role;
      if (role == attribute_role::updated_at) static_cast<void>(row.set(i, tx_.now()));
      if (role != attribute_role::lock_version) continue;
      const std::int64_t version = row.get(i).integer();
      if (version == std::numeric_limits<std::int64_t>::max())
        return refused(resource_errc::invalid, ": the row's versions have come to their end",
                       {{std::string{resource_.attributes[i].name}, "has no value left above " + std::to_string(version)}});
      static_cast<void>(row.set(i, version + 1));
    }
    return {};
  }

  result<action_outcome> finish(change_context& context, action_outcome outcome, attribute_mask changed) {
    if (request_.notify && (outcome.kind != event_kind::unchanged || request_.notify_unchanged)) {
      auto event = describe(context, outcome, changed);
      if (auto kept = tx_.append(event); !kept) return kept.error();
      outcome.event = std::move(event);
    }
    return finish_quietly(context, std::move(outcome));
  }

  result<action_outcome> finish_quietly(change_context& context, action_outcome outcome) const {
    const record& left = outcome.after ? outcome.after : outcome.before;
    for (const step& one : resource_.steps_of(action_)) {
      if (one.kind != step_kind::after) continue;
      context.become_update(outcome.before, const_cast<void*>(left.row()));  // hooks of this kind only look
      if (one.where != nullptr && !one.where(context)) continue;
      if (auto done = one.after(context); !done) return done.error();
      if (!context.valid()) return refused(resource_errc::invalid, " was refused", std::move(context.errors()));
    }
    return outcome;
  }

  std::shared_ptr<event_record> describe(change_context& context, const action_outcome& outcome, attribute_mask changed) {
    auto event = std::make_shared<event_record>();
    const record& left = outcome.after ? outcome.after : outcome.before;
    event->resource = &resource_;
    event->action = request_.action;
    event->kind = outcome.kind;
    event->key = row_key::of(left);
    event->before = without_secrets(outcome.before);
    event->after = without_secrets(outcome.after);
    event->changed = changed;
    event->time = tx_.now();
    event->tenant = resource_.has_tenant() ? std::string{left.get(resource_.tenant).text()} : request_.tenant;
    event->actor = request_.by.name();
    event->metadata = request_.metadata;
    for (const named_value& one : context.metadata()) {
      std::erase_if(event->metadata, [&](const named_value& given) { return given.name == one.name; });
      event->metadata.push_back(one);
    }
    expand_topics(event);
    for (auto& [topic, name] : context.take_told()) {
      event->routes.push_back({std::move(topic), static_cast<std::uint16_t>(event_record::own_route + event->own_names.size())});
      event->own_names.push_back(name.empty() ? std::string{action_.name} : std::move(name));
    }
    return event;
  }

  record without_secrets(const record& row) const {
    if (!row || (resource_.sensitive | resource_.secrets_inside) == 0) return row;
    draft open{row};
    const auto blank = resource_.make();
    for (std::size_t i = 0; i < resource_.attributes.size(); ++i) {
      const attribute_info& attribute = resource_.attributes[i];
      if ((resource_.sensitive & bit(i)) != 0) attribute.copy(open.row(), blank.get());
      if ((resource_.secrets_inside & bit(i)) != 0) attribute.ops->hide(attribute.at_mutable(open.row()));
    }
    return std::move(open).freeze();
  }

  attribute_mask differing(const record& before, const void* row) const {
    attribute_mask mask = 0;
    for (std::size_t i = 0; i < resource_.attributes.size(); ++i) {
      if (!resource_.attributes[i].same(before.row(), row)) mask |= bit(i);
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
  std::vector<value> arguments_;
};

error hook_failed(const action_request& request, std::string_view what) {
  return {resource_errc::hook_failed, name_of(*request.resource, request.resource->actions[request.action])
                                          .append(": a change, validation or hook of it threw: ")
                                          .append(what)};
}

}  // namespace

result<action_outcome> apply(transaction& tx, const action_request& request) {
  const action_request* const outer = tx.set_running(&request);
  const auto run = [&]() -> result<action_outcome> {
    try {
      return execution{tx, request}.run();
    } catch (const std::exception& why) {
      return hook_failed(request, why.what());
    } catch (...) {
      return hook_failed(request, "something that is no std::exception");
    }
  };
  auto outcome = run();
  tx.set_running(outer);
  return outcome;
}

}  // namespace herald
