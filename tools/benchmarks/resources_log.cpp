// The log's side: replay, catching up, how soon a subscriber hears of a commit, and what an event takes on the disk.

#include "bare_sqlite.hpp"
#include "resources.hpp"

#include <herald/consumer.hpp>
#include <herald/pubsub.hpp>
#include <herald/process.hpp>

#include <thread>

namespace bench::resources {

namespace {

using namespace std::chrono_literals;
using order_event = herald::event<described::orders>;

/// Handles the log's events until there are so many.
struct reader : herald::process<reader, order_event> {
  struct args {
    herald::store store;
    std::int64_t events;
    countdown* finished;
  };
  reader(herald::context& self, const args& with) : left_{with.events}, finished_{with.finished} {
    herald::subscribe<order_event>(self, with.store, herald::earliest).value();
  }
  void on(const order_event& event) {
    sum_ += event.after->amount;
    if (--left_ == 0) finished_->hit();
  }

 private:
  std::int64_t sum_ = 0;
  std::int64_t left_;
  countdown* finished_;
};

/// A durable consumer that handles the log's events until one of them is the newest.
struct consumer : herald::process<consumer, order_event> {
  struct args {
    herald::store store;
    countdown* finished;
  };
  consumer(herald::context& self, const args& with)
      : with_{with}, work_{herald::subscribe<order_event>(self, with_.store, herald::at_least_once("bench")).value()} {}
  void on(const order_event& event) {
    sum_ += event.after->amount;
    if (live_ || event.offset() != with_.store.head()) return;
    live_ = true;
    with_.finished->hit();
  }

 private:
  args with_;
  herald::consumer work_;
  std::int64_t sum_ = 0;
  bool live_ = false;
};

/// Places a hundred orders every ten milliseconds.
struct tick {};
struct shop : herald::process<shop, tick> {
  struct args {
    herald::store store;
  };
  shop(herald::context& self, const args& with) : with_{with} { self.send_every(10ms, tick{}); }
  void on(herald::context& self, const tick&) {
    for (int i = 0; i < 100; ++i) {
      with_.store.perform(self, place_an_order(), [](const herald::result<herald::action_outcome>& placed) {
        if (!placed) std::abort();
      });
    }
  }

 private:
  args with_;
};

/// Says how long ago the COMMIT returned.
struct listener : herald::process<listener, order_event> {
  struct args {
    const std::atomic<std::int64_t>* committed;
    std::vector<double>* ages;
    countdown* heard;
  };
  listener(herald::context& self, const args& with) : with_{with} { herald::subscribe<order_event>(self, "orders:placed"); }
  void on(const order_event&) {
    with_.ages->push_back(static_cast<double>(now_ns() - with_.committed->load()) / 1000);
    with_.heard->hit();
  }

 private:
  args with_;
};

/// A store's file with so many orders and their events.
void fill(const std::string& file, std::int64_t events) {
  bare_sqlite::write(file, bare_sqlite::prepare(file), events - 1, 10'000);
}

sample sized(const stopwatch& watch, double value) {
  auto measured = watch.stop();
  measured.value = value;
  measured.hosts = measured.workers;
  return measured;
}

}  // namespace

sample log_replay(std::int64_t events) {
  const scratch_directory directory;
  fill(directory.file(), events);
  const auto store = open_file(directory.file());
  countdown finished{1};
  herald::application app{{.name = "bench",
                           .children = {store.writer(), store.notifier(),
                                        herald::child<reader>("reader", {store, events, &finished}, elsewhere)}},
                          size_of_application()};
  const stopwatch watch;
  app.start();
  finished.wait();
  auto measured = sized(watch, 0);
  measured.value = static_cast<double>(events) / measured.wall_s;
  app.stop();
  return measured;
}

sample bare_log_read(std::int64_t events) {
  const scratch_directory directory;
  fill(directory.file(), events);
  const stopwatch watch;
  if (bare_sqlite::read_events(directory.file()) != events) throw std::runtime_error{"an event is missing"};
  auto measured = watch.stop();
  measured.value = static_cast<double>(events) / measured.wall_s;
  return measured;
}

sample catch_up(std::int64_t events) {
  const scratch_directory directory;
  fill(directory.file(), events);
  const auto store = open_file(directory.file());
  countdown finished{1};
  herald::application app{{.name = "bench",
                           .children = {store.writer(), store.notifier(), herald::child<shop>("shop", {store}),
                                        herald::child<consumer>("consumer", {store, &finished}, elsewhere)}},
                          size_of_application()};
  const stopwatch watch;
  app.start();
  finished.wait();
  auto measured = sized(watch, 0);
  measured.value = measured.wall_s;
  app.stop();
  return measured;
}

sample commit_to_handler(std::int64_t rounds) {
  const scratch_directory directory;
  const auto store = open_file(directory.file());
  std::atomic<std::int64_t> committed{0};
  std::vector<double> ages;
  ages.reserve(static_cast<std::size_t>(rounds));
  countdown heard{0};
  herald::application app{{.name = "bench",
                           .children = {store.writer(), store.notifier(),
                                        herald::child<listener>("listener", {&committed, &ages, &heard})}},
                          size_of_application()};
  app.start();
  const stopwatch watch;
  for (std::int64_t round = 0; round < rounds; ++round) {
    heard.reset(1);
    const auto done = store.transact([&](herald::transaction& tx) {
      tx.after_commit([&] { committed.store(now_ns()); });
      return herald::apply(tx, place_an_order());
    });
    if (!done) throw std::runtime_error{done.error().to_string()};
    heard.wait();
  }
  auto measured = sized(watch, percentile(ages, 0.5));
  app.stop();
  return measured;
}

sample bytes_per_event(std::int64_t events) {
  const scratch_directory directory;
  const stopwatch watch;
  {
    const auto store = open_file(directory.file());
    const std::vector<char> each(static_cast<std::size_t>(events));
    const auto done = store.bulk(each, [](char) { return place_an_order(); }, herald::bulk_options{.batch_size = 1000});
    if (done.failed != 0) throw std::runtime_error{done.errors.front().why.to_string()};
  }
  const auto bytes = bare_sqlite::bytes_of(directory.file(), "'herald_event', 'herald_event_topic'");
  return sized(watch, static_cast<double>(bytes) / static_cast<double>(events));
}

sample bytes_per_payload(std::int64_t events) {
  const scratch_directory directory;
  const auto payload = bare_sqlite::prepare(directory.file()).payload;
  const stopwatch watch;
  const auto bytes = bare_sqlite::bytes_of_payloads(directory.file() + "-bare", payload, events);
  return sized(watch, static_cast<double>(bytes) / static_cast<double>(events));
}

}  // namespace bench::resources
