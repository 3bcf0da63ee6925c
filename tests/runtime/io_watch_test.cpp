// File descriptors that tell their process when they are ready: socket pairs and pipes, in the simulation under many
// seeds, and on real threads with the epoll thread.

#include <cstdio>
#include <latch>
#include <optional>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

/// Two connected, non-blocking stream sockets.
struct wire {
  wire() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0); }
  ~wire() {
    for (const int fd : ends)
      if (fd >= 0) ::close(fd);
  }
  wire(const wire&) = delete;
  wire& operator=(const wire&) = delete;
  void put(const std::string& text) const { REQUIRE(::send(ends[1], text.data(), text.size(), 0) == static_cast<ssize_t>(text.size())); }
  void hang_up() {
    ::close(ends[1]);
    ends[1] = -1;
  }
  /// Writes until the socket takes no more; how much that was.
  std::size_t stuff() const {
    const std::string block(4096, 'x');
    std::size_t sum = 0;
    for (;;) {
      const auto n = ::send(ends[0], block.data(), block.size(), 0);
      if (n <= 0) return sum;
      sum += static_cast<std::size_t>(n);
    }
  }
  void drain() const {
    char block[4096];
    while (::recv(ends[1], block, sizeof block, 0) > 0) {
    }
  }
  int ends[2]{-1, -1};
};

std::string read_some(int fd, std::size_t most = 64) {
  std::string text(most, '\0');
  const auto n = ::read(fd, text.data(), text.size());
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

struct watch_in {
  int fd;
  io_repeat repeat;
  std::size_t bite = 64;
};
struct watch_out {
  int fd;
};
struct end_watch {};
struct watch_and_end_inside {
  int fd;
};
struct write_to {
  int fd;
  std::string text;
};

struct listener : process<listener, watch_in, watch_out, end_watch, watch_and_end_inside, write_to, boom, note> {
  struct args {
    journal* log;
    int fd = -1;  ///< watched in init
  };
  listener(context& self, args a) : self_{self}, log_{*a.log} {
    if (a.fd >= 0) on(watch_in{a.fd, io_repeat::always, 64});
  }
  void on(const watch_in& m) {
    const auto begun = watch_readable(
        self_, m.fd,
        [this, m](const io_ready& ready) {
          const auto text = read_some(ready.fd, m.bite);
          write(text + (ready.hung_up ? "|hung up" : "") + (ready.failed ? "|failed" : ""));
          if (text == "boom") throw std::runtime_error{"boom"};
        },
        m.repeat);
    if (begun) {
      last_ = *begun;
    } else {
      write(begun.error().message());
    }
  }
  void on(const watch_out& m) {
    const auto begun = watch_writable(self_, m.fd, [this](context& self, const io_ready& ready) {
      write(ready.writable && &self == &self_ ? "writable" : "?");
    });
    if (!begun) write(begun.error().message());
  }
  void on(const end_watch&) { unwatch_io(self_, last_); }
  void on(const watch_and_end_inside& m) {
    last_ = watch_readable(
                self_, m.fd,
                [this](const io_ready& ready) {
                  unwatch_io(self_, last_);
                  write(read_some(ready.fd, 1));
                },
                io_repeat::always)
                .value();
  }
  void on(const write_to& m) { static_cast<void>(!::write(m.fd, m.text.data(), m.text.size())); }
  void on(const boom&) { throw std::runtime_error{"boom"}; }
  void on(const note& m) { write(std::to_string(m.number)); }

 private:
  void write(const std::string& what) { log_.write(std::to_string(self_.incarnation()) + ":" + what); }
  context& self_;
  journal& log_;
  io_watch_id last_;
};

struct harbour : world {
  explicit harbour(std::uint64_t seed, int fd = -1) : world{seed} {
    start({.name = "top",
           .intensity = {100, 1s},
           .children = {child<listener>("a", {&log, fd}, {.placement = spread}),
                        child<listener>("b", {&log}, {.placement = spread})}});
  }
  template <class M>
  void ask(const std::string& who, M m) {
    app->find<listener>(who).cast(std::move(m));
  }
};

}  // namespace

TEST_CASE("io: a watch that says always tells of everything, in order, and of the end") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    wire w;
    harbour h{seed};
    h.ask("a", watch_in{w.ends[0], io_repeat::always, 2});
    h.ask("b", write_to{w.ends[1], "abc"});
    h.ask("b", write_to{w.ends[1], "def"});
    h.sim.run();
    std::string all;
    for (const auto& line : h.log.take()) all += line.substr(2);
    CHECK(all == "abcdef");
    w.hang_up();
    h.sim.run(200);  // a level: the end is told until the watch ends
    CHECK(h.log.take().front() == "1:|hung up");
    h.ask("a", end_watch{});
    h.sim.run();
    h.log.take();
    h.sim.run();
    CHECK(h.log.size() == 0);
  }
}

TEST_CASE("io: a watch for once tells once, and may be begun again, also in its own continuation") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    wire w;
    harbour h{seed};
    w.put("abcd");
    h.ask("a", watch_in{w.ends[0], io_repeat::once, 2});
    h.sim.run();
    CHECK(h.log.take_text() == "1:ab");
    h.ask("a", watch_in{w.ends[0], io_repeat::once, 1});
    h.sim.run();
    CHECK(h.log.take_text() == "1:c");
    w.put("e");
    h.sim.run();
    CHECK(h.log.size() == 0);
  }
}

TEST_CASE("io: messages get their turn between the notices of a descriptor that is always ready") {
  wire w;
  harbour h{4};
  w.put(std::string(100, 'x'));
  h.ask("a", watch_in{w.ends[0], io_repeat::always, 1});
  h.ask("a", note{1});
  h.ask("a", note{2});
  h.sim.run();
  const auto lines = h.log.take();
  const auto last = std::find(lines.begin(), lines.end(), "1:2");
  REQUIRE(last != lines.end());
  CHECK(last - lines.begin() < 5);
  CHECK(lines.size() == 102);
}

TEST_CASE("io: writable is told when the other side has made room") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    wire w;
    harbour h{seed};
    CHECK(w.stuff() > 0);
    h.ask("a", watch_out{w.ends[0]});
    h.ask("a", watch_in{w.ends[0], io_repeat::always, 64});  // the same descriptor, in the other direction
    h.sim.run();
    CHECK(h.log.size() == 0);
    w.put("in");
    h.sim.run();
    CHECK(h.log.take_text() == "1:in");
    w.drain();
    h.sim.run();
    CHECK(h.log.take_text() == "1:writable");
    w.put("more");
    h.sim.run();
    CHECK(h.log.take_text() == "1:more");
  }
}

TEST_CASE("io: after unwatch nothing is told, not even what was on its way; also from within the continuation") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    wire w;
    harbour h{seed};
    h.ask("a", watch_in{w.ends[0], io_repeat::once, 64});
    h.sim.run();
    h.ask("b", write_to{w.ends[1], "late"});
    h.ask("a", end_watch{});
    h.sim.run();
    const auto heard = h.log.take();
    CHECK(heard.size() <= 1);
    if (heard.empty()) CHECK(read_some(w.ends[0]) == "late");
    w.put("xyz");
    h.ask("a", watch_and_end_inside{w.ends[0]});
    h.sim.run();
    CHECK(h.log.take_text() == "1:x");
  }
}

TEST_CASE("io: a watch ends with its incarnation, and the next one's own watch takes over") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    wire w;
    harbour h{seed, w.ends[0]};
    w.put("boom");
    h.sim.run();
    CHECK(h.log.take_text() == "1:boom");
    h.ask("b", write_to{w.ends[1], "hello"});
    h.ask("a", boom{});
    h.sim.run();
    const auto heard = h.log.take_text();
    CHECK((heard == "2:hello" || heard == "3:hello"));
    w.put("again");
    h.sim.run();
    CHECK(h.log.take_text() == "3:again");
  }
}

TEST_CASE("io: what cannot be watched is refused with the reason") {
  wire w;
  harbour h{1};
  auto* const file = std::tmpfile();
  REQUIRE(file != nullptr);
  const int fd = ::fileno(file);
  h.ask("a", watch_in{fd, io_repeat::once});
  h.sim.run();
  CHECK(h.log.take_text() == "1:the file descriptor " + std::to_string(fd) +
                                 " cannot be watched for reading: Operation not permitted (a regular file is always ready)");
  std::fclose(file);
  h.ask("a", watch_out{fd});
  h.sim.run();
  CHECK(h.log.take_text() == "1:the file descriptor " + std::to_string(fd) + " cannot be watched for writing: Bad file descriptor");
  h.ask("a", watch_in{w.ends[0], io_repeat::once});
  h.ask("b", watch_in{w.ends[0], io_repeat::once});
  h.sim.run();
  CHECK(h.log.take_text() == "1:the file descriptor " + std::to_string(w.ends[0]) +
                                 " is watched for reading already; end that watch first");
}

TEST_CASE("io: a descriptor that is closed under its watch tells of a failure, once, and is free to be watched again") {
  harbour h{1};
  auto w = std::make_unique<wire>();
  const int fd = w->ends[0];
  w->put("x");
  h.ask("a", watch_in{fd, io_repeat::always});
  CHECK(h.sim.run_until([&] { return h.log.size() == 1; }));
  CHECK(h.log.take_text() == "1:x");
  ::close(std::exchange(w->ends[0], -1));
  h.sim.run();
  h.ask("a", end_watch{});
  h.sim.run();
  wire second;
  second.put("y");
  h.log.take();
  h.ask("b", watch_in{second.ends[0], io_repeat::once});
  h.sim.run();
  CHECK(h.log.take_text() == "1:y");
}

// --- real threads -----------------------------------------------------------------------------------------------------

namespace {

struct echo : process<echo> {
  struct args {
    int in, out;
    std::latch* heard;
  };
  echo(context& self, args a) {
    watch_ = watch_readable(
        self, a.in,
        [a](const io_ready& ready) {
          const auto text = read_some(ready.fd);
          static_cast<void>(!::write(a.out, text.data(), text.size()));
          for (const char c : text)
            if (c == '.') a.heard->count_down();
        },
        io_repeat::always)
                 .value();
  }

 private:
  io_watch_id watch_;
};

}  // namespace

TEST_CASE("io: on real threads, pipes are served as they become ready, and the epoll thread ends with the application") {
  int to[2], back[2];
  REQUIRE(::pipe2(to, O_CLOEXEC | O_NONBLOCK) == 0);
  REQUIRE(::pipe2(back, O_CLOEXEC | O_NONBLOCK) == 0);
  constexpr int rounds = 500;
  std::latch heard{rounds};
  {
    application_options o;
    o.workers = 2;
    o.sinks = {[](const report&) {}};
    application app{{.name = "top", .children = {child<echo>("echo", {to[0], back[1], &heard})}}, o};
    app.start();
    for (int i = 0; i < rounds; ++i) REQUIRE(::write(to[1], "x.", 2) == 2);
    heard.wait();
    CHECK(app.stop().zombies.empty());
  }
  std::string all;
  for (std::string part; !(part = read_some(back[0], 4096)).empty();) all += part;
  CHECK(all.size() == 2 * rounds);
  for (const int fd : {to[0], to[1], back[0], back[1]}) ::close(fd);
}
