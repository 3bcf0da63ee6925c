#pragma once
// For the tests of whoever follows a store's log under the simulation: a supervisor that bears many kills, and tickets that are
// opened by a plain thread or by a process.

#include "ticket.hpp"

#include <herald/application.hpp>
#include <herald/process.hpp>
#include <herald/simulation.hpp>
#include <herald/store.hpp>

#include <memory>
#include <vector>

namespace ticket_test {

/// Reports go nowhere.
inline herald::application_options quiet(herald::simulation& sim) {
  return {.sinks = {[](const herald::report&) {}}, .simulation = &sim};
}

inline herald::supervisor tree(std::vector<herald::child_spec> children) {
  return {.name = "desk", .intensity = {10'000, std::chrono::seconds{60}}, .children = std::move(children)};
}

inline void make(const herald::store& store, int count) {
  for (int i = 0; i < count; ++i) REQUIRE(store.run<tickets, "open">(field<&Ticket::subject> = "x").has_value());
}

struct go {};

/// Opens tickets, one after the other's answer.
struct opener : herald::process<opener, go> {
  struct args {
    herald::store store;
    int count;
    std::shared_ptr<int> made;
  };
  opener(herald::context& self, args with) : with_{std::move(with)} { self.self().cast(go{}); }
  void on(herald::context& self, const go&) {
    if (*with_.made == with_.count) return;
    with_.store.run<tickets, "open">(self, field<&Ticket::subject> = "x", [this](herald::context& here, herald::result<Ticket> made) {
      if (made) ++*with_.made;
      here.self().cast(go{});
    });
  }

 private:
  args with_;
};

}  // namespace ticket_test
