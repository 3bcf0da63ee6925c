// Requests that are sent without waiting, their answers, and collections of them.

#include <herald/coroutine.hpp>
#include <herald/reply_to.hpp>
#include <herald/request_collection.hpp>

#include <thread>

#include "task_support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

struct price {
  int of = 0;
  std::chrono::nanoseconds after{0};
  using reply = int;
};
struct unpriced {
  using reply = int;
};
struct answer_unpriced {
  int value = 0;
};
struct let_go {};

struct shop : process<shop, price, unpriced, answer_unpriced, let_go, boom, crash_call> {
  explicit shop(context& self) : self_{self} {}
  coroutine<int> on(const price& m) {
    if (m.after.count() > 0) co_await self_.sleep(m.after);
    co_return 2 * m.of;
  }
  void on(const unpriced&, reply_to<int> to) { waiting_.push_back(std::move(to)); }
  void on(const answer_unpriced& m) {
    for (auto& to : std::exchange(waiting_, {})) to.reply(m.value);
  }
  void on(const let_go&) { waiting_.clear(); }
  void on(const boom& m) { throw std::runtime_error{m.text}; }
  int on(const crash_call&) { throw std::runtime_error{"in a call"}; }

 private:
  context& self_;
  std::vector<reply_to<int>> waiting_;
};

struct street : world {
  explicit street(std::uint64_t seed = 1) : world{seed} {
    start({.name = "top", .intensity = {100, 1s}, .children = {
      child<shop>("a"), child<shop>("b", {.placement = spread}), child<shop>("c", {.placement = spread}),
      child<owner>("me"), child<inside>("waits", {.placement = spread})}});
  }
  [[nodiscard]] ref<shop> at_shop(const std::string& path) const { return app->find<shop>(path); }
  /// Runs it in a handler.
  void in(std::function<void(context&)> code) { app->find<owner>("me").cast(script{std::move(code)}); }
  void in_and_run(std::function<void(context&)> code) {
    in(std::move(code));
    sim.run();
  }
  void waiting_in(std::function<coroutine<>(context&)> code) {
    app->find<inside>("waits").cast(waiting_script{std::move(code)});
  }
  void tell_shop(const std::string& path, auto m) {
    at_shop(path).cast(std::move(m));
    sim.run();
  }
  auto note() {
    return [this](const auto& r) { log.write(text_of(r)); };
  }
};

using prices = request_collection<int, std::string>;
std::string text_of_next(const result<prices::answered>& r) {
  return r ? r->label + "=" + text_of(r->answer) : std::string{r.error().name()};
}

}  // namespace

TEST_CASE("N215: a request is answered while the handler that sent it has gone on, under every order of things") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    street w{seed};
    sent_request<int> kept;
    w.in_and_run([&](context& self) {
      kept = send_request(w.at_shop("b"), price{21});
      w.log.write("gone on");
      kept.receive(self, 1s, w.note());
      w.log.write("still");
    });
    CHECK(w.log.text() == "gone on still 42");
    CHECK_FALSE(kept);
  }
}

TEST_CASE("N215: wait says none at its limit and may be asked again") {
  street w;
  sent_request<int> open;
  w.in([&](context& self) {
    open = send_request(w.at_shop("b"), price{4, 50ms});
    open.wait(self, 20ms, w.note());
  });
  w.sim.advance(30ms);
  CHECK(w.log.take_text() == "none");
  CHECK(open);
  w.in([&](context& self) { open.wait(self, self.now() + 40ms, w.note()); });
  w.sim.advance(50ms);
  CHECK(w.log.take_text() == "8");
  CHECK_FALSE(open);
  w.in_and_run([&](context& self) { open.wait(self, 10ms, w.note()); });
  CHECK(w.log.take_text() == "bad_option");
}

TEST_CASE("N215: receive gives a request up at its limit, and the late answer vanishes") {
  street w;
  w.in([&](context& self) { send_request(w.at_shop("b"), price{4, 50ms}).receive(self, 20ms, w.note()); });
  w.sim.advance(200ms);
  CHECK(w.log.take_text() == "timeout");
  CHECK(w.app->dead_letters() == 0);
}

TEST_CASE("N215: a request that is dropped leaves nothing behind") {
  street w;
  w.in([&](context&) { static_cast<void>(send_request(w.at_shop("b"), price{4, 50ms})); });
  w.sim.advance(200ms);
  CHECK(w.app->dead_letters() == 0);
  CHECK(w.at_shop("b").call(price{1}).value() == 2);
}

TEST_CASE("N215: check takes its own answer, once, and no other") {
  street w;
  auto first = send_request(w.at_shop("a"), unpriced{});
  auto second = send_request(w.at_shop("b"), price{3});
  w.sim.run();
  CHECK(text_of(first.check()) == none);
  CHECK(text_of(second.check()) == "6");
  CHECK(text_of(second.check()) == "bad_option");
  w.tell_shop("a", answer_unpriced{7});
  CHECK(text_of(first.check()) == "7");
}

TEST_CASE("N215: a plain thread waits, asks again, and receives") {
  street w;
  auto open = send_request(w.at_shop("b"), price{4, 50ms});
  CHECK(text_of(open.wait(20ms)) == none);
  CHECK(text_of(open.wait(w.sim.now() + 100ms)) == "8");
  CHECK(text_of(open.receive()) == "bad_option");
  auto late = send_request(w.at_shop("b"), price{4, 50ms});
  CHECK(text_of(late.receive(w.sim.now() + 20ms)) == "timeout");
  CHECK_FALSE(late);
}

TEST_CASE("N215: the blocking forms are refused in a handler, and spend nothing") {
  street w;
  w.in_and_run([&](context& self) {
    auto open = send_request(w.at_shop("b"), price{4});
    w.log.write(text_of(open.receive(1s)));
    w.log.write(text_of(open.wait(1s)));
    open.receive(self, 1s, w.note());
  });
  CHECK(w.log.text() == "would_block would_block 8");
}

TEST_CASE("N215: a handler that waits inside receives, and waits again") {
  street w;
  w.waiting_in([&](context& self) -> coroutine<> {
    auto slow = send_request(w.at_shop("b"), price{4, 50ms});
    const auto quick = co_await send_request(w.at_shop("a"), price{1}).receive(self, 1s);
    w.log.write(text_of(quick));
    const auto early = co_await slow.wait(self, 10ms);
    w.log.write(text_of(early));
    const auto then = co_await slow.wait(self, 1s);
    w.log.write(text_of(then));
  });
  w.sim.advance(100ms);
  CHECK(w.log.text() == "2 none 8");
}

TEST_CASE("N216: a request to nobody, or to a process that is gone, is answered noproc") {
  street w;
  const auto gone = w.at_shop("b");
  CHECK(w.app->root().terminate_child("b"));
  auto to_gone = send_request(gone, price{1});
  auto to_nobody = send_request(ref<shop>{}, price{1});
  w.sim.run();
  CHECK(text_of(to_gone.check()) == "noproc");
  CHECK(text_of(to_nobody.receive()) == "noproc");
}

TEST_CASE("N216: a request in hand or in the mailbox of a process that crashes is answered down, or waits for its next life") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    street w{seed};
    auto kept = send_request(w.at_shop("b"), unpriced{});
    auto in_hand = send_request(w.at_shop("b"), crash_call{});
    auto behind = send_request(w.at_shop("b"), price{5});
    w.sim.run();
    CHECK(text_of(kept.check()) == "down");
    CHECK(text_of(in_hand.check()) == "down");
    CHECK(text_of(behind.check()) == "10");
  }
}

TEST_CASE("N216: what the called lets go of is unanswered; a process that asks itself is told so") {
  street w;
  auto open = send_request(w.at_shop("b"), unpriced{});
  w.tell_shop("b", let_go{});
  CHECK(text_of(open.check()) == "unanswered");
  sent_request<int> own;
  w.waiting_in([&](context& self) -> coroutine<> {
    const auto r = co_await send_request(self.as<inside>(), which_life{}).receive(self, 1s);
    w.log.write(text_of(r));
  });
  w.sim.run();
  CHECK(w.log.text() == "calling_self");
}

TEST_CASE("N216: a request outlives its application and is answered at its end") {
  sent_request<int> open;
  prices all;
  {
    street w;
    open = send_request(w.at_shop("b"), unpriced{});
    all.add(send_request(w.at_shop("b"), unpriced{}), "b");
  }
  CHECK(text_of(open.wait(1s)) == "down");
  CHECK(text_of_next(all.wait(1s)) == "b=down");
}

TEST_CASE("N217: a collection gives answers in the order of coming, with their labels") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    street w{seed};
    auto open = std::make_shared<prices>();
    w.in([&, open](context& self) {
      open->add(send_request(w.at_shop("a"), price{1, 30ms}), "slow");
      open->add(send_request(w.at_shop("b"), price{2, 10ms}), "quick");
      open->add(send_request(w.at_shop("c"), crash_call{}), "broken");
      w.log.write(std::to_string(open->size()));
      const auto next = std::make_shared<std::function<void(context&)>>();
      *next = [&, open, next = std::weak_ptr{next}, deadline = self.now() + 100ms](context& me) {
        open->receive(me, deadline, [&, keep = next.lock()](context& my, const result<prices::answered>& r) {
          w.log.write(text_of_next(r));
          if (r) (*keep)(my);
        });
      };
      (*next)(self);
    });
    w.sim.advance(200ms);
    CHECK(w.log.text() == "3 broken=down quick=4 slow=2 not_found");
    CHECK(open->empty());
  }
}

TEST_CASE("N217: at the common deadline receive gives up what is open") {
  street w;
  prices open;
  w.waiting_in([&](context& self) -> coroutine<> {
    open.add(send_request(w.at_shop("a"), price{1, 10ms}), "in time");
    open.add(send_request(w.at_shop("b"), price{1, 50ms}), "too late");
    open.add(send_request(w.at_shop("c"), unpriced{}), "never");
    const auto deadline = self.now() + 30ms;
    while (!open.empty()) {
      const auto next = co_await open.receive(self, deadline);
      w.log.write(text_of_next(next));
      if (!next) break;
    }
    CHECK(self.now() == deadline);
  });
  w.sim.advance(200ms);
  CHECK(w.log.text() == "in time=2 timeout");
  CHECK(open.empty());
  CHECK(w.app->dead_letters() == 0);
}

TEST_CASE("N218: wait leaves what is open where it is: later answers can still be taken") {
  street w;
  prices open;
  open.add(send_request(w.at_shop("a"), price{1, 10ms}), "first");
  open.add(send_request(w.at_shop("b"), price{1, 50ms}), "second");
  CHECK(text_of_next(open.wait(20ms)) == "first=2");
  CHECK(text_of_next(open.wait(20ms)) == "timeout");
  CHECK(open.labels() == std::vector<std::string>{"second"});
  CHECK(text_of_next(open.wait(100ms)) == "second=2");
  CHECK(text_of_next(open.wait(100ms)) == "not_found");
}

TEST_CASE("N218: an answer that is there already comes at once, also from a wait whose deadline has passed") {
  street w;
  prices open;
  open.add(send_request(w.at_shop("a"), price{1}), "there");
  open.add(send_request(w.at_shop("b"), unpriced{}), "open");
  w.sim.advance(10ms);
  CHECK(open.size() == 2);
  CHECK(text_of_next(open.wait(w.sim.now() - 5ms)) == "there=2");
  CHECK(text_of_next(open.wait(w.sim.now() - 5ms)) == "timeout");
  CHECK(open.size() == 1);
  CHECK_FALSE(open.check());
}

TEST_CASE("N218: the same request cannot be added twice") {
  street w;
  prices open;
  auto request = send_request(w.at_shop("a"), price{1});
  open.add(std::move(request), "once");
  CHECK_THROWS_AS(open.add(std::move(request), "twice"), std::logic_error);
  CHECK_THROWS_AS(open.add(sent_request<int>{}, "none"), std::logic_error);
  auto taken = send_request(w.at_shop("a"), price{1});
  CHECK(taken.receive());
  CHECK_THROWS_AS(open.add(std::move(taken), "spent"), std::logic_error);
  CHECK(open.size() == 1);
}

TEST_CASE("N218: one wait at a time; a collection that is destroyed wakes who waits for it") {
  street w;
  auto open = std::make_shared<prices>();
  w.in_and_run([&](context& self) {
    open->add(send_request(w.at_shop("a"), unpriced{}), "x");
    const auto tell = [&](const result<prices::answered>& r) { w.log.write(text_of_next(r)); };
    open->wait(self, 1s, tell);
    open->wait(self, 1s, tell);
  });
  CHECK(w.log.take_text() == "bad_option");
  open.reset();
  w.sim.run();
  CHECK(w.log.take_text() == "not_found");
}

TEST_CASE("N217: on real threads, many answers of many processes, each once") {
  application app{{.name = "top", .children = {
    child<shop>("a"), child<shop>("b", {.placement = spread}), child<shop>("c", {.placement = spread})}}};
  app.start();
  request_collection<int, int> open;
  const ref<shop> shops[]{app.find<shop>("a"), app.find<shop>("b"), app.find<shop>("c")};
  for (int i = 0; i < 300; ++i) open.add(send_request(shops[i % 3], price{i}), i);
  std::vector<bool> seen(300);
  while (!open.empty()) {
    const auto next = open.receive(10s);
    REQUIRE(next);
    CHECK(next->answer.value() == 2 * next->label);
    CHECK_FALSE(seen[static_cast<std::size_t>(next->label)]);
    seen[static_cast<std::size_t>(next->label)] = true;
  }
  CHECK(std::count(seen.begin(), seen.end(), true) == 300);
}
