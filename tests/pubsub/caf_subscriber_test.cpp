// CAF actors as subscribers and as publishers; on real threads, because there is no CAF in a simulation. Only types that
// CAF knows without being told, so that the test is the same for both CAFs.

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <herald/caf_subscriber.hpp>
#include <herald/runtime.hpp>

using namespace herald;
using namespace std::chrono_literals;

namespace {

struct notes {
  std::mutex mutex;
  std::vector<std::int32_t> got;
  std::atomic<int> anonymous{0};
  [[nodiscard]] std::vector<std::int32_t> all() {
    const std::lock_guard lock{mutex};
    return got;
  }
};

caf::behavior note(caf::event_based_actor* self, notes* into) {
  return {[self, into](std::int32_t n) {
            const std::lock_guard lock{into->mutex};
            into->got.push_back(n);
            if (self->current_sender() == nullptr) ++into->anonymous;
          },
          [self](const std::string&) { self->quit(); }};
}

/// Publishes so many numbers. With an argument: spawning a function without one, CAF 0.17 dereferences a null pointer,
/// and the sanitizer of undefined behaviour says so.
caf::behavior publish(caf::event_based_actor* self, const bus& to) {
  return {[self, to](std::int32_t n) {
    for (std::int32_t i = 0; i < n; ++i) to.broadcast("n", i).value();
    self->quit();
  }};
}

template <class F>
void wait(F&& done) {
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (!done()) {
    REQUIRE(std::chrono::steady_clock::now() < end);
    std::this_thread::yield();
  }
}

struct place {
  place() : app{{.name = "root"}, {.workers = 2, .sinks = {[](const report&) {}}}} { app.start(); }
  [[nodiscard]] std::size_t children() const { return app.root().count_children().value().specs; }
  application app;
};

}  // namespace

TEST_CASE("B9: a CAF actor gets the events of a topic as ordinary messages, sent anonymously, until it ends") {
  notes l;  // outlives the application's actors
  place p;
  const bus b{p.app};
  auto actor = caf_system(p.app).spawn(note, &l);
  static_cast<void>(subscribe_actor<std::int32_t>(b, "n:*", actor).value());
  std::vector<std::int32_t> sent;
  for (std::int32_t i = 0; i < 100; ++i) {
    b.broadcast("n:x", i).value();
    sent.push_back(i);
  }
  wait([&] { return l.all().size() == 100; });
  CHECK(l.all() == sent);
  CHECK(l.anonymous == 100);
  CHECK(p.children() == 1);
  engine::post_to_actor(actor, caf::make_message(std::string{"quit"}));
  actor = nullptr;
  wait([&] { return p.children() == 0; });
  CHECK(b.subscribers("n:x").value().empty());
}

TEST_CASE("an actor's subscription has options, ends by its handle, and is not made for one that has ended") {
  notes l;
  place p;
  const bus b{p.app};
  auto actor = caf_system(p.app).spawn(note, &l);
  const auto even = subscribe_actor<std::int32_t>(b, "n", actor, {.filter = [](const std::int32_t& n) { return n % 2 == 0; }}).value();
  for (std::int32_t i = 0; i < 4; ++i) b.broadcast("n", i).value();
  wait([&] { return l.all().size() == 2; });
  even.end();
  CHECK(p.children() == 0);
  even.end();
  CHECK(subscribe_actor<std::int32_t>(b, "a::b", actor).is(pubsub_errc::bad_topic));
  CHECK(subscribe_actor<std::int32_t>(b, "n", caf::actor{}).is(pubsub_errc::bad_option));
  engine::post_to_actor(actor, caf::make_message(std::string{"quit"}));
  std::atomic<bool> ended{false};
  const auto watch = engine::watch_actor(actor, [&] { ended = true; });
  wait([&] { return ended.load(); });
  static_cast<void>(subscribe_actor<std::int32_t>(b, "n", actor).value());
  wait([&] { return p.children() == 0; });
  CHECK(l.all() == std::vector<std::int32_t>{0, 2});
  p.app.stop();
  CHECK(subscribe_actor<std::int32_t>(b, "n", actor).is(pubsub_errc::closed));
  actor = nullptr;
}

namespace {
inline constexpr typed_topic<std::int32_t> numbers{"n"};
}  // namespace

TEST_CASE("an actor subscribes to a typed topic; what its process's start finds is said by its own error") {
  notes l;
  application app{{.name = "root"}, {.workers = 2, .sinks = {[](const report&) {}}}};
  const bus b{app};
  auto actor = caf_system(app).spawn(note, &l);
  CHECK(subscribe_actor(b, numbers, actor).is(pubsub_errc::not_started));
  app.start();
  static_cast<void>(subscribe_actor(b, numbers, actor, {.group = group_policy::round_robin("g")}).value());
  CHECK(subscribe_actor(b, numbers, actor, {.group = group_policy::least_loaded("g")}).is(pubsub_errc::bad_option));
  for (std::int32_t i = 0; i < 4; ++i) broadcast(b, numbers, i).value();
  wait([&] { return l.all().size() == 4; });
  actor = nullptr;
}

TEST_CASE("B9: a CAF actor publishes; another one, and a callback, get it") {
  notes l;
  std::atomic<int> called{0};
  place p;
  const bus b{p.app};
  auto actor = caf_system(p.app).spawn(note, &l);
  static_cast<void>(subscribe_actor<std::int32_t>(b, "n", actor).value());
  auto sub = b.subscribe("n", own_thread, [&](const std::int32_t&) { ++called; }).value();
  auto publisher = caf_system(p.app).spawn(publish, b);
  engine::post_to_actor(publisher, caf::make_message(std::int32_t{50}));
  publisher = nullptr;
  wait([&] { return l.all().size() == 50 && called == 50; });
  for (std::int32_t i = 0; i < 50; ++i) CHECK(l.all()[static_cast<std::size_t>(i)] == i);
  actor = nullptr;
}

TEST_CASE("actors end while their subscriptions do, and the application stops under both") {
  for (int round = 0; round < 20; ++round) {
    notes l;
    place p;
    const bus b{p.app};
    std::vector<caf::actor> actors;
    for (int i = 0; i < 8; ++i) {
      actors.push_back(caf_system(p.app).spawn(note, &l));
      const auto sub = subscribe_actor<std::int32_t>(b, "n", actors.back()).value();
      b.broadcast("n", std::int32_t{i}).value();
      if (i % 3 == 0) engine::post_to_actor(actors.back(), caf::make_message(std::string{"quit"}));
      if (i % 4 == 0) sub.end();
    }
    if (round % 2 == 0) p.app.stop();
    for (auto& a : actors) engine::post_to_actor(a, caf::make_message(std::string{"quit"}));
    actors.clear();
  }
}
