// What an application tells systemd, over real datagram sockets.

#include "support.hpp"

#include <atomic>
#include <csignal>
#include <cstring>
#include <mutex>
#include <thread>

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <herald/engine/systemd_link.hpp>
#include <herald/systemd.hpp>

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

/// A service manager's end, with the environment that points to it.
class manager {
 public:
  explicit manager(bool abstract_name = false) {
    const auto base = "herald-test-" + std::to_string(::getpid());
    name_ = abstract_name ? "@" + base : "/tmp/" + base + ".socket";
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, name_.data(), name_.size());
    if (abstract_name) at.sun_path[0] = '\0';
    if (!abstract_name) ::unlink(name_.c_str());
    fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size() + (abstract_name ? 0 : 1));
    REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&at), length) == 0);
    ::setenv("NOTIFY_SOCKET", name_.c_str(), 1);
  }
  ~manager() {
    ::close(fd_);
    if (name_[0] == '/') ::unlink(name_.c_str());
    for (const auto* v : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(v);
  }
  manager(const manager&) = delete;
  manager& operator=(const manager&) = delete;

  /// The next datagram within `limit`; empty when there is none.
  [[nodiscard]] std::string next(std::chrono::milliseconds limit = 60s) const {
    pollfd p{fd_, POLLIN, 0};
    if (::poll(&p, 1, static_cast<int>(limit.count())) <= 0) return {};
    char text[512];
    const auto n = ::recv(fd_, text, sizeof text, 0);
    return n > 0 ? std::string{text, static_cast<std::size_t>(n)} : std::string{};
  }
  /// Reads on until this one; false when nothing comes any more.
  [[nodiscard]] bool waits_for(const std::string& wanted) const {
    for (auto got = next(); !got.empty(); got = next())
      if (got.find(wanted) != std::string::npos) return true;
    return false;
  }
  void drain() const {
    while (!next(0ms).empty()) {
    }
  }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
  int fd_ = -1;
};

struct block {
  std::function<void()> how;
};
struct blocker : process<blocker, block> {
  void on(const block& m) { m.how(); }
};

[[nodiscard]] application_options quiet() {
  application_options o;
  o.workers = 2;
  o.sinks = {[](const report&) {}};
  return o;
}

}  // namespace

TEST_CASE("systemd: nobody is told without NOTIFY_SOCKET; names that are no sockets are errors that say so") {
  CHECK(systemd::socket_name().empty());
  CHECK(systemd::notify("READY=1").value() == false);
  CHECK(systemd::notify("relative/path", "READY=1").is(errc::failed));
  CHECK(systemd::notify(std::string(200, '/'), "READY=1").error().message().find("too long") != std::string::npos);
  CHECK(systemd::notify("/nowhere/at/all", "READY=1").is(errc::failed));
}

TEST_CASE("systemd: the watchdog's period, for this process only") {
  const manager m;
  CHECK_FALSE(systemd::watchdog_period());
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  CHECK(systemd::watchdog_period() == 30s);
  ::setenv("WATCHDOG_PID", "1", 1);
  CHECK_FALSE(systemd::watchdog_period());
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  CHECK(systemd::watchdog_period() == 30s);
  for (const auto* wrong : {"", "0", "x", "-1", "99999999999999999999"}) {
    ::setenv("WATCHDOG_USEC", wrong, 1);
    CHECK_FALSE(systemd::watchdog_period());
  }
}

TEST_CASE("systemd: READY after the start, STOPPING and more time at the stop, over a path and an abstract name") {
  for (const bool abstract_name : {false, true}) {
    const manager m{abstract_name};
    CHECK(systemd::notify("STATUS=loading").value());
    CHECK(m.next() == "STATUS=loading");
    auto o = quiet();
    o.systemd = true;
    application app{{.name = "root", .children = {child<blocker>("b")}}, o};
    CHECK(m.next(0ms).empty());
    app.start();
    CHECK(m.next() == "READY=1\nSTATUS=running");
    // The stop waits for the handler; meanwhile more time is asked for.
    std::atomic<int> blocked{0};
    app.find<blocker>("b").cast(block{[&] {
      blocked = 1;
      blocked.notify_all();
      blocked.wait(1);
    }});
    blocked.wait(0);
    std::thread stopper{[&] { app.stop(); }};
    CHECK(m.next() == "STOPPING=1\nSTATUS=stopping");
    CHECK(m.waits_for("EXTEND_TIMEOUT_USEC=20000000"));
    blocked = 2;
    blocked.notify_all();
    stopper.join();
  }
}

TEST_CASE("systemd: nobody speaks where that is not wanted") {
  const manager m;
  {
    application app{{.name = "root"}, quiet()};
    app.start();
    app.stop();
  }
  auto o = quiet();
  o.systemd = false;
  application app{{.name = "root"}, o};
  app.start();
  app.stop();
  CHECK(app.run_until_signal() == 0);
  CHECK(m.next(0ms).empty());
}

TEST_CASE("systemd: run_until_signal speaks by itself") {
  const manager m;
  application app{{.name = "root"}, quiet()};
  app.start();
  std::thread runner{[&] { CHECK(app.run_until_signal() == 0); }};
  CHECK(m.next() == "READY=1\nSTATUS=running");
  ::kill(::getpid(), SIGTERM);
  CHECK(m.next() == "STOPPING=1\nSTATUS=stopping");
  runner.join();
}

TEST_CASE("systemd: the watchdog is fed while all hosts answer, and not while one is stuck") {
  const manager m;
  ::setenv("WATCHDOG_USEC", "40000", 1);
  auto o = quiet();
  o.systemd = true;
  o.overrun_limit = 1h;  // nobody takes the host from the stuck handler
  application app{{.name = "root", .children = {child<blocker>("b")}}, o};
  app.start();
  CHECK(m.waits_for("WATCHDOG=1"));
  CHECK(m.waits_for("WATCHDOG=1"));
  std::atomic<int> blocked{0};
  app.find<blocker>("b").cast(block{[&] {
    blocked = 1;
    blocked.notify_all();
    blocked.wait(1);
  }});
  blocked.wait(0);
  m.drain();
  // At most one ping was on its way.
  std::size_t fed = 0;
  while (m.next(200ms) == "WATCHDOG=1") ++fed;
  CHECK(fed <= 1);
  blocked = 2;
  blocked.notify_all();
  CHECK(m.waits_for("WATCHDOG=1"));
  app.stop();
}

TEST_CASE("systemd: a ping comes back when every host and the root have answered") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    world w{seed};
    w.start({.name = "root", .children = {w.worker("a", {.placement = spread})}});
    auto& system = w.app->inside();
    const auto root = any_ref{w.app->root()}.where();
    auto ping = engine::tree_ping::send(system, root);
    CHECK_FALSE(ping->back());
    w.sim.run();
    CHECK(ping->back());
    // A handler that runs holds it up until its host goes on without it.
    w.at("a").cast(stall_for{1h});
    w.sim.advance(10ms);
    ping = engine::tree_ping::send(system, root);
    w.sim.advance(20ms);
    CHECK_FALSE(ping->back());
    w.sim.advance(200ms);
    CHECK(ping->back());
    CHECK(w.app->kill("a"));
  }
}
