#include <herald/engine/io_poller.hpp>

#include <cerrno>
#include <cstring>

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <herald/engine/at_home.hpp>
#include <herald/engine/pending.hpp>

namespace herald::engine {

namespace {

constexpr char poller_key = 0;
constexpr std::uint64_t bell_data = ~std::uint64_t{0};
constexpr int events_at_once = 64;

/// The incarnation's side of a watch.
struct io_record final : expectation {
  io_poller* poller = nullptr;
  bool always = false;
  std::shared_ptr<io_continuation> then;  ///< shared with the notice in hand, which may end this record
  void resume(context&, void*, const error*) override {}
  void forget(host& home) noexcept override {
    home.forget(id);
    poller->remove(id);
  }
};

struct io_node final : envelope {
  io_node(const io_poller::watcher& w, io_poller& p, std::uint64_t watch, const io_ready& r)
      : envelope{node_ops, w.who, w.incarnation}, poller{&p}, id{watch}, ready{r} {}
  io_poller* poller;
  std::uint64_t id;
  io_ready ready;

  static void run(envelope* e, cell* c, frame& by) {
    auto& self = *static_cast<io_node*>(e);
    std::shared_ptr<io_continuation> then;
    bool always = false;
    {
      const runtime_entry entry;
      // The host was taken before the handler had begun: a level is told again.
      if (entry.owned() == nullptr) return self.poller->arm_again(self.id);
      auto* record = static_cast<io_record*>(by.home->expected(self.id));
      if (record == nullptr) return;
      then = record->then;
      always = record->always;
      if (!always) {
        by.home->detach(*record);
        record->wipe(*by.home);
      }
    }
    static_cast<void>(c);
    (*then)(context_at(by.state), self.ready);
    if (always) self.poller->arm_again(self.id);
  }
  static void discard(envelope* e, discard_reason, const exit_reason*) noexcept {
    free_node(static_cast<io_node*>(e));
  }
  static constexpr envelope_ops node_ops{run, nullptr, discard, nullptr, &tag_of<io_ready>, envelope_kind::notice};
};
static_assert(std::is_trivially_destructible_v<io_ready>, "a notice that ran is given back without a destructor");

error system_error(int fd, bool write, int code) {
  std::string why = std::strerror(code);
  if (code == EPERM) why += " (a regular file is always ready)";
  return {errc::bad_option, "the file descriptor " + std::to_string(fd) + " cannot be watched for " +
                                (write ? "writing: " : "reading: ") + why};
}

}  // namespace

io_poller& io_poller::of(core& system) {
  return static_cast<io_poller&>(system.slot(&poller_key, [&] { return std::make_unique<io_poller>(system); }));
}

io_poller::io_poller(core& system)
    : system_{system}, epoll_{::epoll_create1(EPOLL_CLOEXEC)}, bell_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
  epoll_event bell{};
  bell.events = EPOLLIN;
  bell.data.u64 = bell_data;
  static_cast<void>(::epoll_ctl(epoll_, EPOLL_CTL_ADD, bell_, &bell));
}

io_poller::~io_poller() {
  static_cast<void>(ending());
  if (bell_ >= 0) ::close(bell_);
  if (epoll_ >= 0) ::close(epoll_);
}

bool io_poller::armed(std::uint64_t id) const {
  const auto found = watches_.find(id);
  return found != watches_.end() && found->second.armed;
}

/// Brings the kernel's registration in line with what the watches want; 0, or the system's error. With the lock held.
int io_poller::apply(int fd, descriptor& d) {
  epoll_event event{};
  if (armed(d.reader)) event.events |= EPOLLIN | EPOLLRDHUP;
  if (armed(d.writer)) event.events |= EPOLLOUT;
  if (event.events == 0) {
    // One that fired is disabled already; one that is enabled would go on telling of errors.
    if (d.enabled) static_cast<void>(::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr));
    if (d.enabled) d.registered = false;
    d.enabled = false;
    return 0;
  }
  event.events |= EPOLLONESHOT;
  if (!d.registered) d.number = next_number_++;
  event.data.u64 = (std::uint64_t{d.number} << 32) | static_cast<std::uint32_t>(fd);
  int failed = ::epoll_ctl(epoll_, d.registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
  // The descriptor may have been closed, and its number be another's by now.
  if (failed != 0 && errno == ENOENT) failed = ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  if (failed != 0 && errno == EEXIST) failed = ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
  d.registered = d.enabled = failed == 0;
  return failed == 0 ? 0 : errno;
}

result<void> io_poller::add(std::uint64_t id, const watcher& w) {
  const std::lock_guard lock{mutex_};
  if (ending_) return error{errc::closed, "the file descriptor cannot be watched: the application is stopped"};
  if (epoll_ < 0 || bell_ < 0) return system_error(w.fd, w.write, EMFILE);
  auto& d = descriptors_[w.fd];
  auto& place = w.write ? d.writer : d.reader;
  if (place != 0)
    return error{errc::bad_option, "the file descriptor " + std::to_string(w.fd) + " is watched for " +
                                       (w.write ? "writing" : "reading") + " already; end that watch first"};
  auto& kept = watches_.emplace(id, w).first->second;
  kept.armed = true;
  place = id;
  if (const int code = apply(w.fd, d); code != 0) {
    watches_.erase(id);
    place = 0;
    if (d.reader == 0 && d.writer == 0) descriptors_.erase(w.fd);
    return system_error(w.fd, w.write, code);
  }
  if (started_) return {};
  started_ = true;
  if (system_.options().simulation != nullptr) {
    system_.runs().add_source([this] { return poll(0); });
  } else {
    thread_ = std::thread{[this] { serve(); }};
    ::pthread_setname_np(thread_.native_handle(), "herald-epoll");
  }
  return {};
}

void io_poller::arm_again(std::uint64_t id) {
  const std::lock_guard lock{mutex_};
  const auto found = watches_.find(id);
  if (found == watches_.end() || ending_) return;
  auto& w = found->second;
  w.armed = true;
  const int fd = w.fd;
  if (apply(fd, descriptors_[fd]) == 0) return;
  io_ready over;
  over.fd = fd;
  over.failed = true;
  fire(id, over);
  auto& d = descriptors_[fd];
  (w.write ? d.writer : d.reader) = 0;
  if (d.reader == 0 && d.writer == 0) descriptors_.erase(fd);
  watches_.erase(found);
}

void io_poller::remove(std::uint64_t id) noexcept {
  const std::lock_guard lock{mutex_};
  const auto found = watches_.find(id);
  if (found == watches_.end()) return;
  const int fd = found->second.fd;
  auto& d = descriptors_[fd];
  (found->second.write ? d.writer : d.reader) = 0;
  watches_.erase(found);
  static_cast<void>(apply(fd, d));
  if (d.reader != 0 || d.writer != 0) return;
  if (d.registered) static_cast<void>(::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr));
  descriptors_.erase(fd);
}

/// With the lock held.
void io_poller::fire(std::uint64_t id, const io_ready& ready) {
  auto& w = watches_[id];
  w.armed = false;
  host::post(make_node<io_node>(w, *this, id, ready), nullptr);
}

bool io_poller::poll(int timeout_ms) {
  epoll_event events[events_at_once];
  const int n = ::epoll_wait(epoll_, events, events_at_once, timeout_ms);
  const std::lock_guard lock{mutex_};
  if (ending_) return false;
  for (int i = 0; i < n; ++i) {
    if (events[i].data.u64 == bell_data) continue;
    const int fd = static_cast<int>(events[i].data.u64 & 0xffffffffU);
    const auto found = descriptors_.find(fd);
    if (found == descriptors_.end() || found->second.number != events[i].data.u64 >> 32) continue;
    auto& d = found->second;
    const auto what = events[i].events;
    io_ready ready;
    ready.fd = fd;
    ready.hung_up = (what & (EPOLLHUP | EPOLLRDHUP)) != 0;
    ready.failed = (what & EPOLLERR) != 0;
    ready.readable = (what & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    ready.writable = (what & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
    d.enabled = false;
    if (ready.readable && armed(d.reader)) fire(d.reader, ready);
    if (ready.writable && armed(d.writer)) fire(d.writer, ready);
    static_cast<void>(apply(fd, d));  // the other direction still waits
  }
  return n > 0;
}

void io_poller::serve() {
  for (;;) {
    static_cast<void>(poll(-1));
    const std::lock_guard lock{mutex_};
    if (ending_) return;
  }
}

std::vector<std::string> io_poller::ending() {
  {
    const std::lock_guard lock{mutex_};
    ending_ = true;
  }
  const std::uint64_t one = 1;
  if (bell_ >= 0) static_cast<void>(!::write(bell_, &one, sizeof one));
  if (thread_.joinable()) thread_.join();
  return {};
}

result<io_watch_id> begin_io_watch(context& self, int fd, bool write, io_repeat repeat, io_continuation then) {
  auto& c = self.cell();
  auto& system = c.home->system();
  auto& poller = io_poller::of(system);
  auto record = owned_expectation<io_record>{new io_record};
  const auto id = system.next_number();
  record->id = id;
  record->poller = &poller;
  record->always = repeat == io_repeat::always;
  record->then = std::make_shared<io_continuation>(std::move(then));
  const io_poller::watcher watch{fd, write, false, c.self(), self.incarnation()};
  result<void> added;
  const runtime_entry entry;
  auto* outcome = entry.owned() != nullptr ? &added : nullptr;
  const bool begun = at_home(entry, c, self.incarnation(), [record = std::move(record), watch, outcome](cell& home) mutable {
    auto& kept = *record.release();
    home.home->expect(kept.id, kept);
    home.home->attach(home, kept);
    const auto ok = kept.poller->add(kept.id, watch);
    if (ok) return;
    if (outcome == nullptr) {
      // Asked for by a handler that has lost its host meanwhile: it is told as an event.
      io_ready over;
      over.fd = watch.fd;
      over.failed = true;
      return home.home->deliver(make_node<io_node>(watch, *kept.poller, kept.id, over));
    }
    *outcome = ok;
    home.home->detach(kept);
    kept.wipe(*home.home);
  });
  if (!begun) return error{errc::closed, "a watch can only be begun in a handler or the init of its own process"};
  if (!added) return added.error();
  return io_watch_id{id};
}

}  // namespace herald::engine

namespace herald {

void unwatch_io(context& self, io_watch_id which) {
  const engine::runtime_entry entry;
  engine::at_home(entry, self.cell(), self.incarnation(), [number = which.number](engine::cell& c) {
    auto* found = c.home->expected(number);
    if (found == nullptr || found->owner != &c) return;
    c.home->detach(*found);
    found->wipe(*c.home);
  });
}

}  // namespace herald
