#pragma once
// The resource that most tests of this folder are about, and a store to run its actions in.

#include <doctest/doctest.h>
#include <herald/detail/store_core.hpp>
#include <herald/resource.hpp>

#include <string>
#include <vector>

namespace ticket_test {

using namespace herald::dsl;
using herald::op;
using herald::uuid;

struct Ticket {
  uuid id;
  std::string subject, status = "open";
  std::optional<uuid> representative_id;
  std::optional<std::int64_t> team_id;
  std::int64_t version = 0;
};

inline constexpr auto tickets = herald::resource<Ticket>("tickets",
  attribute<&Ticket::id>(primary_key, uuid_v7),
  attribute<&Ticket::subject>(max_length{20}),
  attribute<&Ticket::status>(one_of{"open", "assigned", "closed"}),
  attribute<&Ticket::representative_id>(),
  attribute<&Ticket::team_id>(),
  attribute<&Ticket::version>(optimistic_lock),
  create("open", accepts<&Ticket::subject, &Ticket::team_id>,
    validate{[](const Ticket& t) { return present<&Ticket::subject>(t); }}),
  update("rename", accepts<&Ticket::subject, &Ticket::team_id>),
  update("assign", accepts<&Ticket::representative_id>,
    change{[](auto& ticket) { ticket.set(field<&Ticket::status>, "assigned"); }}),
  update("close", accepts<>, change{[](auto& ticket) { ticket.set(field<&Ticket::status>, "closed"); }}),
  destroy("destroy"),
  pub_sub("ticket",
    publish("open", topic("created")),
    publish("assign", topic("assigned", field<&Ticket::representative_id>), named{"reassigned"}, previous_values),
    publish_all(op::update, topic(any_of(field<&Ticket::team_id>, tenant), "updated", any_of(pkey, skip))),
    publish_all(op::destroy, topic("destroyed", pkey))));

/// A memory store, whose actions run one by one as a writer would run them.
class scratch {
 public:
  explicit scratch(std::vector<const herald::resource_table*> tables, herald::timestamp start = {}) : now_{start} {
    herald::memory_options options;
    options.clock = [this] { return now_; };
    options.uuid_seed = 7;
    storage_ = herald::detail::open_memory(std::move(tables), options).value();
  }

  void at(herald::timestamp time) { now_ = time; }

  herald::result<herald::action_outcome> operator()(const herald::action_request& request) {
    return in([&](herald::transaction& tx) { return herald::apply(tx, request); });
  }
  void must(const herald::action_request& request) {
    const auto outcome = (*this)(request);
    REQUIRE_MESSAGE(outcome.has_value(), outcome.error().to_string());
  }
  /// Runs a function as a writer would run an action: kept when it succeeds, undone when it fails.
  template <class F>
  auto in(F&& function) -> decltype(function(std::declval<herald::transaction&>())) {
    storage_->begin().value();
    herald::transaction& tx = storage_->writing();
    tx.savepoint().value();
    auto outcome = function(tx);
    if (outcome) {
      tx.release().value();
    } else {
      tx.rollback_to().value();
    }
    storage_->commit().value();
    return outcome;
  }
  std::vector<herald::event_ptr> log() {
    return storage_->read({storage_->head().epoch, 0}, 10'000, std::nullopt).value().events;
  }
  herald::record find(const herald::resource_table& table, const herald::row_key& key) {
    return storage_->find(table, key).value();
  }

 private:
  herald::timestamp now_;
  std::shared_ptr<herald::detail::storage> storage_;
};

template <const auto& R>
const herald::detail::row_type<R>& row(const herald::result<herald::action_outcome>& outcome) {
  const herald::record& left = outcome->after ? outcome->after : outcome->before;
  return *static_cast<const herald::detail::row_type<R>*>(left.row());
}

inline std::vector<std::string> topics_of(const herald::event_ptr& event) {
  std::vector<std::string> all;
  for (const auto& route : event->routes) all.push_back(route.topic);
  return all;
}

}  // namespace ticket_test
