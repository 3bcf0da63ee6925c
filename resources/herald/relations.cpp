#include <herald/detail/relations.hpp>

#include <herald/query.hpp>

#include <algorithm>

namespace herald::detail {

namespace {

query dependants(const resource_table& of, std::size_t attribute, const value_view& key) {
  query made{.resource = &of};
  made.where = condition::compare({}, comparison::equal, value{key}).on(attribute);
  for (const std::uint8_t part : of.key) made.order.push_back({part, false});
  return made;
}

/// While a row is being destroyed, what belongs to it may find it belongs to that in turn: rings have an end.
class leaving_row {
 public:
  leaving_row(transaction& tx, const record& row) : tx_{tx} { tx_.leaving().push_back(row); }
  leaving_row(const leaving_row&) = delete;
  leaving_row& operator=(const leaving_row&) = delete;
  ~leaving_row() { tx_.leaving().pop_back(); }

 private:
  transaction& tx_;
};

bool is_leaving(transaction& tx, const record& row) {
  const auto& all = tx.leaving();
  return std::any_of(all.begin(), all.end(), [&](const record& one) {
    return &one.table() == &row.table() && has_key(row, row_key::of(one));
  });
}

error in_use(const action_request& request, const record& row, const resource_table& by, const attribute_info& through) {
  std::string what = "is what rows of ";
  what.append(by.name).append(" belong to (").append(through.name).append(")");
  std::string text{request.resource->name};
  text.append(".").append(request.resource->actions[request.action].name).append(": the row ");
  text.append(row_key::of(row).to_string()).append(" cannot go: it ").append(what);
  return {resource_errc::invalid, std::move(text), {{std::string{request.resource->attributes[request.resource->key[0]].name}, std::move(what)}}};
}

}  // namespace

const resource_table* referenced_by(const resource_table& resource, const attribute_info& attribute) {
  if (attribute.refers_to_itself) return &resource;
  return attribute.references == nullptr ? nullptr : &attribute.references();
}

result<void> check_references(change_context& context, bool all_tenants) {
  const resource_table& resource = context.resource();
  const record& before = context.before();
  for (const attribute_info& attribute : resource.attributes) {
    const resource_table* const other = referenced_by(resource, attribute);
    if (other == nullptr || (before && attribute.same(before.row(), context.row()))) continue;
    const value_view key = attribute.get(context.row());
    if (key.is_null()) continue;
    // A row may belong to itself.
    if (other == &resource && resource.key.size() == 1 && resource.attributes[resource.key[0]].get(context.row()) == key) continue;
    const auto found = context.tx().find(*other, row_key{value{key}});
    if (!found) return found.error();
    const bool hidden = *found && other->has_tenant() && !all_tenants && found->get(other->tenant).text() != context.request().tenant;
    if (!*found || hidden)
      context.add_error(attribute.name, "does not exist: " + std::string{other->name} + " " + (attribute.sensitive ? "" : key.describe()));
  }
  return {};
}

result<void> let_go(transaction& tx, const action_request& request, const record& row) {
  const resource_table& going = row.table();
  if (going.key.size() != 1) return {};
  const value_view key = row.get(going.key[0]);
  const leaving_row here{tx, row};
  for (const resource_table* const one : tx.tables()) {
    for (std::size_t i = 0; i < one->attributes.size(); ++i) {
      const attribute_info& attribute = one->attributes[i];
      if (referenced_by(*one, attribute) != &going) continue;
      query wanted = dependants(*one, i, key);
      if (!attribute.on_destroy.empty()) {
        std::vector<row_key> children;
        const auto asked = tx.select(wanted, [&](const record& child) {
          if (!is_leaving(tx, child)) children.push_back(row_key::of(child));
        });
        if (!asked) return asked;
        action_request drop{.resource = one, .action = static_cast<std::uint16_t>(one->find_action(attribute.on_destroy))};
        drop.tenant = request.tenant;
        drop.all_tenants = request.all_tenants;
        drop.by = request.by;
        drop.metadata = request.metadata;
        drop.notify = request.notify;
        for (row_key& child : children) {
          // A child may have gone with another one.
          const auto there = tx.find(*one, child);
          if (!there) return there.error();
          if (!*there) continue;
          drop.key = std::move(child);
          result<action_outcome> outcome{action_outcome{}};
          if (auto done = run_nested(tx, drop, outcome); !done) return done;
          if (!outcome) return outcome.error();
        }
      }
      bool left = false;
      const auto asked = tx.select(wanted, [&](const record& child) { left = left || !is_leaving(tx, child); });
      if (!asked) return asked;
      if (left) return in_use(request, row, *one, attribute);
    }
  }
  return {};
}

}  // namespace herald::detail
