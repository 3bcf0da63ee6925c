// Section K: partition supervisors, and their keyed routing.

#include <array>
#include <limits>

#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

struct shard : process<shard, who_are_you, boom, end_with> {
  struct args {
    std::string common;
    std::size_t number = 99;
    std::shared_ptr<habits> how = std::make_shared<habits>();
  };
  shard(context& self, args a) : self_{self}, a_{std::move(a)} {
    if (a_.how->failing_inits > 0) {
      --a_.how->failing_inits;
      throw std::runtime_error{"not now"};
    }
  }
  std::string on(const who_are_you&) {
    return a_.common + std::to_string(a_.number) + "#" + std::to_string(self_.incarnation());
  }
  void on(const boom&) { throw std::runtime_error{"boom"}; }
  void on(const end_with& m) { self_.stop(m.why); }

 private:
  context& self_;
  args a_;
};

shard::args numbered(shard::args a, std::size_t n) {
  a.number = n;
  return a;
}

struct partition_world : world {
  explicit partition_world(std::size_t n, std::uint64_t seed = 1) : world{seed} {
    start({.name = "root", .children = {partition("p", child<shard>("shard", {"s", 99, how("shard")}),
                                                  {.partitions = n,
                                                   .with_arguments = [](const shard::args& a, std::size_t i) { return numbered(a, i); },
                                                   .intensity = {100, 5s}})}});
  }
  [[nodiscard]] partition_ref<shard> p() const { return find_partition<shard>(*app, "p"); }
  template <class Key>
  [[nodiscard]] std::string answer(const Key& key) const {
    const auto r = p().of(key).call(who_are_you{}, 50ms);
    return r ? *r : std::string{r.error().name()};
  }
};

std::string fault_of(const child_spec& spec) {
  const auto r = check_spec(child_spec{supervisor{.name = "root", .children = {spec}}});
  return r ? "fine" : r.error().fields().at(0).field + " " + r.error().fields().at(0).message;
}

struct plain_process : process<plain_process> {};

enum class region : std::int8_t { north = 1, south = -1 };

}  // namespace

TEST_CASE("K152: by default there are as many partitions as processors, with ids from 0 up, spread over the hosts") {
  world w;
  w.start({.name = "root", .children = {partition("p", child<shard>("x", {}))}});
  const auto n = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 256);
  CHECK(find_partition<shard>(*w.app, "p").partitions() == n);
  std::string ids;
  for (std::size_t i = n; i-- > 0;) ids += (ids.empty() ? "" : " ") + std::to_string(i);
  CHECK(w.list("p") == ids);
  partition_world three{3};
  CHECK(three.app->find<shard>("p/0").where().cell->home != three.app->find<shard>("p/1").where().cell->home);
}

TEST_CASE("K153: an integer key goes to |key| mod n, any other by a stable hash, the same one always to the same process") {
  partition_world w{3};
  CHECK(w.answer(0) == "s0#1");
  CHECK(w.answer(1) == "s1#1");
  CHECK(w.answer(3) == "s0#1");
  CHECK(w.answer(-1) == "s1#1");
  CHECK(w.answer(-5) == "s2#1");
  CHECK(w.answer(std::numeric_limits<std::int64_t>::min()) == "s2#1");  // 2^63 mod 3
  CHECK(w.answer(std::numeric_limits<std::uint64_t>::max()) == "s0#1");
  CHECK(w.answer(region::north) == w.answer(region::south));
  // FNV-1a of "a" is af63dc4c8601ec8c: the same in every run.
  CHECK(w.answer("a") == "s" + std::to_string(0xaf63dc4c8601ec8cULL % 3) + "#1");
  CHECK(w.answer(std::string{"a"}) == w.answer(std::string_view{"a"}));
  const auto p = w.p();
  std::array<int, 3> hits{};
  for (int i = 0; i < 300; ++i) {
    const auto key = "customer " + std::to_string(i);
    CHECK(p.of(key) == p.of(key));
    for (std::size_t n = 0; n < 3; ++n) hits[n] += p.of(key) == w.app->find<shard>("p/" + std::to_string(n)) ? 1 : 0;
  }
  for (const int h : hits) CHECK(h > 50);
}

TEST_CASE("K154: with_arguments gives each partition its own arguments, or a whole spec of its own") {
  partition_world w{4};
  for (int i = 0; i < 4; ++i) CHECK(w.answer(i) == "s" + std::to_string(i) + "#1");
  world other;
  other.start({.name = "root",
               .children = {partition("p", child<shard>("x", {"base", 5}),
                                      {.partitions = 2, .with_arguments = [](child_spec s, std::size_t n) {
                                         return n == 0 ? s : child<shard>("y", {"other", n});
                                       }})}});
  CHECK(other.app->find<shard>("p/0").call(who_are_you{}).value() == "base5#1");
  CHECK(other.app->find<shard>("p/1").call(who_are_you{}).value() == "other1#1");
}

TEST_CASE("K155: what is wrong with a partition supervisor is told before it starts") {
  const auto one = child<shard>("x", {});
  CHECK(fault_of(partition("p", one)) == "fine");
  CHECK(fault_of(partition("", one)).find("without an id") != std::string::npos);
  CHECK(fault_of(partition("p", {})) == "p/0 has no process type; wanted: child<P>(...) or a supervisor");
  CHECK(fault_of(partition("p", one, {.partitions = 0})) == "p has 0 partitions; wanted: 1 to 65536");
  CHECK(fault_of(partition("p", one, {.partitions = 70'000})) == "p has 70000 partitions; wanted: 1 to 65536");
  const auto for_text = [](const std::string& s, std::size_t) { return s; };
  CHECK(fault_of(partition("p", one, {.with_arguments = for_text})).find("but its partitions take") != std::string::npos);
  CHECK(fault_of(partition("p", child<plain_process>("x"), {.with_arguments = for_text})).find("take no arguments") != std::string::npos);
  CHECK(fault_of(partition("p", child<shard>("x", {}, {.restart = temporary}))).find("has temporary partitions") != std::string::npos);
  CHECK(fault_of(partition("p", child<shard>("x", {}, {.restart = transient, .significant = true}))).find("no auto_shutdown") != std::string::npos);
  CHECK(fault_of(partition("p", one, {.intensity = {-1, 1s}})) == "p has an intensity of -1 restarts; wanted: 0 up");
  CHECK(fault_of(partition("p", child<shard>("x", {}, {.mailbox = {.limit = 0}}), {.partitions = 8})) ==
        "p/0 has a mailbox limit of 0; wanted: 1 up");
}

TEST_CASE("K157: resized to zero a lookup says so; back to eight all work again") {
  partition_world w{8};
  const auto p = w.p();
  CHECK(p.resize(0));
  CHECK(p.partitions() == 0);
  CHECK_FALSE(p.of(3));
  const auto r = p.lookup(3);
  REQUIRE(r.is(errc::not_found));
  CHECK(r.error().message() == "the partition supervisor has zero partitions now; resize it");
  CHECK(w.counts("p") == child_counts{8, 0, 0, 8});
  CHECK(p.resize(8));
  CHECK(p.partitions() == 8);
  for (int i = 0; i < 8; ++i) CHECK(w.answer(i) == "s" + std::to_string(i) + "#2");
  CHECK(p.lookup(3).value() == p.of(3));
  const auto over = p.resize(9);
  REQUIRE(over.is(errc::bad_option));
  CHECK(over.error().message() == "resize to 9 partitions; wanted: 0 to 8, as many as it was made with");
}

TEST_CASE("K157: keys leave a partition before it stops, and come to one after it has started") {
  partition_world w{4};
  const auto p = w.p();
  CHECK(p.resize(2));
  CHECK(w.answer(3) == "s1#1");
  CHECK(w.list("p") == "3(stopped) 2(stopped) 1 0");
  CHECK(p.resize(2));  // no change
  CHECK(p.resize(3));
  CHECK(w.answer(2) == "s2#2");
  w.how("shard")->failing_inits = 1;
  CHECK(p.resize(4).is(errc::start_failed));
  CHECK(p.partitions() == 3);
  CHECK(p.resize(4));
  CHECK(w.answer(3) == "s3#3");
}

TEST_CASE("K157: resizes that come together are done one after the other; the last one counts") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    partition_world w{6, seed};
    struct resizer : process<resizer, note> {
      struct args {
        partition_ref<shard> p;
        std::vector<std::string>* told;
      };
      resizer(context& self, args a) : self_{self}, a_{std::move(a)} {}
      void on(const note&) {
        for (const std::size_t n : {1u, 5u, 0u, 4u})
          a_.p.resize(self_, n, 5s, [this, n](const result<void>& r) { a_.told->push_back(std::to_string(n) + (r ? "" : " failed")); });
      }
      context& self_;
      args a_;
    };
    std::vector<std::string> told;
    const auto r = w.app->root().start_child(child<resizer>("resizer", {w.p(), &told}, {.placement = spread})).value();
    r.cast(note{});
    w.sim.run();
    CHECK(told == std::vector<std::string>{"1", "5", "0", "4"});
    CHECK(w.p().partitions() == 4);
    CHECK(w.counts("p") == child_counts{6, 4, 0, 6});
  }
}

TEST_CASE("K158: which_children lists every partition with its number, count_children counts them by kind") {
  partition_world w{3};
  CHECK(w.list("p") == "2 1 0");
  CHECK(w.p().supervisor().count_children().value() == child_counts{3, 3, 0, 3});
  world trees;
  trees.start({.name = "root",
               .children = {partition("p", supervisor{.name = "s", .children = {child<shard>("worker", {"t"})}}, {.partitions = 2}),
                            partition("jobs", dynamic("d"), {.partitions = 2})}});
  const auto p = find_partition<supervisor>(*trees.app, "p");
  CHECK(p.supervisor().count_children().value() == child_counts{2, 2, 2, 0});
  CHECK(p.of(1).count_children().value() == child_counts{1, 1, 0, 1});
  CHECK(p.of(1) == trees.app->find_supervisor("p/1"));
  CHECK(find_partition<supervisor>(*trees.app, "jobs").of("somebody").start_child(child<shard>("x", {})));
}

TEST_CASE("K159: the stop is over when it is answered; an unknown name answers noproc to everything") {
  partition_world w{3};
  const auto p = w.p();
  CHECK(w.app->root().terminate_child("p"));
  CHECK(w.app->find_supervisor("p").count_children().is(errc::noproc));
  CHECK(w.answer(1) == "noproc");
  CHECK(p.of(1).call(who_are_you{}).is(errc::noproc));
  CHECK(p.resize(2).is(errc::noproc));
  const auto none = find_partition<shard>(*w.app, "nobody");
  CHECK_FALSE(none);
  CHECK_FALSE(none.of(1));
  CHECK(none.lookup(1).is(errc::noproc));
  CHECK(none.resize(1).is(errc::noproc));
  CHECK(none.supervisor().count_children().is(errc::noproc));
  CHECK_FALSE(find_partition<probe>(*w.app, "p"));  // not of this type
  // Started anew, held refs work again.
  CHECK(w.app->root().restart_child("p"));
  CHECK(p.of(1).call(who_are_you{}).value() == "s1#1");
}

TEST_CASE("K160: of a crash only its own partition is replaced, and its keys reach the new process") {
  partition_world w{3};
  const auto p = w.p();
  const auto before = p.of(1);
  before.cast(boom{});
  w.sim.run();
  CHECK(w.answer(0) == "s0#1");
  CHECK(w.answer(1) == "s1#2");
  CHECK(w.answer(2) == "s2#1");
  CHECK(p.of(1) == before);
  // The whole supervisor killed: all come back in place.
  CHECK(w.app->kill("p"));
  w.sim.run();
  CHECK(w.answer(0) == "s0#2");
  CHECK(p.of(1) == before);
}

TEST_CASE("a partition cannot be deleted or added by hand") {
  partition_world w{2};
  CHECK(w.p().supervisor().start_child(child<shard>("x", {})).is(errc::not_supported));
  CHECK(w.p().supervisor().delete_child("1").is(errc::not_supported));
}
