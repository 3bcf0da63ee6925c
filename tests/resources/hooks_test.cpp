#include "desk.hpp"

#include <herald/authorise.hpp>
#include <herald/store.hpp>

using namespace desk_test;

namespace {

herald::store desk() {
  trail.clear();
  return herald::store::open({&table_of<cases>, &table_of<members>}, herald::memory_options{}).value();
}
std::int64_t made_in(const herald::store& store) {
  return store.run<cases, "open">(field<&Case::subject> = "printer").value().id;
}
using words = std::vector<std::string>;

}  // namespace

TEST_CASE("C27, C28: changes, validations and hooks run in their order, around the write and the commit") {
  const auto store = desk();
  const auto id = made_in(store);
  REQUIRE(store.run<cases, "hooked">(id, field<&Case::subject> = "fine"));
  CHECK(trail == words{"change", "validate", "before", "after", "committed fine", "done"});
  trail.clear();
  REQUIRE(store.run<cases, "hooked">(id, field<&Case::note> = "new"));
  CHECK(trail == words{"change", "validate", "before", "after", "after if fine", "committed fine", "done"});
}

TEST_CASE("N4, N8: what a before_action hook adds is in the event") {
  const auto store = desk();
  const auto id = made_in(store);
  REQUIRE(store.run<cases, "hooked">(id, field<&Case::subject> = "fine", action_options{.metadata = {{"seen_by", value{"me"}}, {"n", value{1}}}}));
  const auto events = store.read(store.beginning(), 10).value().events;
  CHECK(events.back()->metadata == std::vector<named_value>{{"n", value{1}}, {"seen_by", value{"hooked"}}});
}

TEST_CASE("C29: a before_action hook that refuses prevents the write; what it sets is checked again") {
  const auto store = desk();
  const auto id = made_in(store);
  const auto refused = store.run<cases, "hooked">(id, field<&Case::subject> = "marked");
  REQUIRE(refused.is(resource_errc::invalid));
  CHECK(message_of(refused.error(), "subject") == "is marked");
  CHECK(trail == words{"change", "validate", "before", "failed"});
  CHECK(store.head().sequence == 1);
}

TEST_CASE("C30, C31, C32: a failing after_action, an invalid input and an exception undo all, and after_transaction hears of each") {
  const auto store = desk();
  const auto id = made_in(store);
  CHECK(store.run<cases, "hooked">(id, field<&Case::subject> = "fails").error().message() == "after all");
  CHECK(trail == words{"change", "validate", "before", "after", "failed"});
  trail.clear();
  CHECK(store.run<cases, "hooked">(id, field<&Case::subject> = "invalid").is(resource_errc::invalid));
  CHECK(trail == words{"change", "validate", "failed"});
  trail.clear();
  CHECK(store.run<cases, "hooked">(id, field<&Case::subject> = "throws").is(resource_errc::hook_failed));
  CHECK(trail == words{"change", "validate", "before", "failed"});
  trail.clear();
  CHECK(store.run<cases, "reopen">(id).is(resource_errc::forbidden));
  CHECK(trail == words{"failed"});
  CHECK(store.head().sequence == 1);
  CHECK(store.get<cases>(id)->subject == "printer");
}

TEST_CASE("C31: after_transaction may turn a failure into a success, and never a commit into a failure") {
  const auto store = desk();
  const auto id = made_in(store);
  CHECK(store.run<cases, "forgiving">(id, field<&Case::subject> = "invalid")->subject == "forgiven");
  CHECK(store.get<cases>(id)->subject == "printer");
  CHECK(store.run<cases, "forgiving">(id, field<&Case::subject> = "kept")->subject == "kept");
}

TEST_CASE("an after_commit hook that throws changes nothing of what is committed, and is told in the outcome") {
  const auto store = desk();
  const auto id = made_in(store);
  const auto outcome = store.perform(request_for<cases, "noisy">(id, field<&Case::subject> = "x"));
  REQUIRE(outcome);
  CHECK(outcome->hook_trouble == "no mail today");
  CHECK(store.get<cases>(id)->subject == "x");
}

TEST_CASE("in a transaction of several actions, what follows the commit waits for it, and is dropped when it is undone") {
  const auto store = desk();
  const auto id = made_in(store);
  const auto both = [&](bool fail) {
    return store.transact([&](herald::transaction& tx) -> herald::result<int> {
      auto first = herald::run<cases, "hooked">(tx, id, field<&Case::subject> = "first");
      if (!first) return first.error();
      tx.after_commit([] { trail.push_back("by hand"); });
      trail.push_back("inside");
      if (fail) return herald::error{resource_errc::invalid, "changed my mind"};
      return 1;
    });
  };
  CHECK_FALSE(both(true));
  CHECK(trail == words{"change", "validate", "before", "after", "inside"});
  trail.clear();
  CHECK(both(false));
  CHECK(trail == words{"change", "validate", "before", "after", "inside", "committed first", "done", "by hand"});
}

TEST_CASE("who may hear of a topic is asked of the resource") {
  const actor ada{"ada", user{}};
  CHECK(herald::authorise_subscription<members>(ada, "member:ada:changed"));
  const auto no = herald::authorise_subscription<members>(ada, "member:bob:changed");
  REQUIRE(no.is(resource_errc::forbidden));
  CHECK(no.error().message() == "resource members: the topic member:bob:changed is not for ada");
  CHECK_FALSE(herald::authorise_subscription<members>(actor{"ada"}, "member:ada:changed"));
  CHECK(herald::authorise_subscription<cases>(actor{}, "case:updated"));
}
