// Herald: how soon a busy process has stopped, and what a name costs where there are a million. Mirrors caf_endings.cpp.
#include <algorithm>
#include <string>
#include <vector>

#include <herald/registry.hpp>
#include <herald/stop.hpp>

#include "runtime.hpp"
#include "runtime_environment.hpp"

namespace bench::runtime {

namespace {

using namespace std::chrono_literals;

struct job {};

/// Computes for a millisecond a message.
struct busy : herald::process<busy, job> {
  struct args {
    countdown* begun;
  };
  explicit busy(args a) : begun_{a.begun} {}
  void on(const job&) {
    if (seen_++ == 0) begun_->hit();
    const auto end = now_ns() + 1'000'000;
    while (now_ns() < end) {
    }
  }

 private:
  countdown* begun_;
  std::int64_t seen_ = 0;
};

using names = herald::registry<std::string, std::int64_t>;

std::string name(std::int64_t i) { return "name of number " + std::to_string(i); }

struct enroll {
  std::int64_t from, to;
};

/// Registers names, a thousand in each message.
struct holder : herald::process<holder, enroll> {
  struct args {
    names where;
    countdown* done;
  };
  explicit holder(args a) : a_{std::move(a)} {}
  void on(herald::context& self, const enroll& m) {
    for (auto i = m.from; i < m.to; ++i) a_.where.register_key(self, name(i), i).value();
    a_.done->hit();
  }

 private:
  args a_;
};

/// An application whose one process registers names.
class named {
 public:
  explicit named(std::int64_t count)
      : done_{(count + batch - 1) / batch},
        app_{{.name = "named", .children = {herald::child<holder>("holder", {names_, &done_})}}, size_of_application()} {
    app_.start();
  }
  void enroll_all(std::int64_t count) {
    const auto who = app_.find<holder>("holder");
    for (std::int64_t i = 0; i < count; i += batch) who.cast(enroll{i, std::min(i + batch, count)});
    done_.wait();
  }
  [[nodiscard]] const names& where() const { return names_; }

 private:
  static constexpr std::int64_t batch = 1000;
  names names_{"names"};
  countdown done_;
  herald::application app_;
};

}  // namespace

sample busy_stop(std::int64_t messages) {
  countdown begun{1};
  herald::application app{{.name = "busy", .children = {herald::child<busy>("busy", {&begun}, {.restart = herald::temporary})}},
                          size_of_application()};
  app.start();
  const auto who = app.find<busy>("busy");
  for (std::int64_t i = 0; i < messages; ++i) who.cast(job{});
  begun.wait();
  const stopwatch watch;
  static_cast<void>(herald::stop(who, herald::exit_reason::shutdown, 60s));
  auto result = finished(watch);
  result.value = result.wall_s * 1e3;
  return result;
}

sample registry_register(std::int64_t count) {
  named all{count};
  const stopwatch watch;
  all.enroll_all(count);
  return ns_per(watch, static_cast<double>(count));
}

sample registry_lookup(std::int64_t count, std::int64_t looks) {
  named all{count};
  all.enroll_all(count);
  // Made before, in an order that no cache likes.
  std::vector<std::string> keys;
  keys.reserve(static_cast<std::size_t>(looks));
  for (std::int64_t i = 0; i < looks; ++i) keys.push_back(name(i * 7919 % count));
  std::int64_t found = 0;
  const stopwatch watch;
  for (const auto& key : keys) found += all.where().find<holder>(key) ? 1 : 0;
  auto result = ns_per(watch, static_cast<double>(looks));
  keep(found);
  return result;
}

}  // namespace bench::runtime
