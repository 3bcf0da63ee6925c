// Actions per second of the stores, as a process sees them: it keeps some in flight; the store's writer does the rest:
// savepoint, action, row, event, topics, COMMIT, answer, and the hand-over to the notifier.

#include "bare_sqlite.hpp"
#include "resources.hpp"

#include <herald/process.hpp>

#include <atomic>

namespace bench::resources {

namespace {

/// Places orders, always so many at a time, each new one from the answer to an old one.
struct begin {};
struct client : herald::process<client, begin> {
  struct args {
    herald::store store;
    std::int64_t actions;
    int in_flight;
    countdown* finished;
    std::atomic<std::int64_t>* failed;
    friend bool operator==(const args&, const args&) = default;
  };
  client(herald::context&, const args& with) : with_{with} {}
  void on(herald::context& self, const begin&) {
    for (int i = 0; i < with_.in_flight; ++i) place(self);
  }

 private:
  void place(herald::context& self) {
    if (placed_ == with_.actions) return;
    ++placed_;
    using herald::dsl::field;
    with_.store.run<described::orders, "place">(self, field<&order::customer> = "ACME Corporation Ltd",
                                                field<&order::amount> = 4999,
                                                [this](herald::context& here, const herald::result<order>& placed) {
                                                  if (!placed) with_.failed->fetch_add(1);
                                                  with_.finished->hit();
                                                  place(here);
                                                });
  }
  args with_;
  std::int64_t placed_ = 0;
};

}  // namespace

sample actions(const herald::store& store, std::int64_t count, int in_flight) {
  countdown finished{count};
  std::atomic<std::int64_t> failed{0};
  const auto options = size_of_application();
  herald::application app{{.name = "bench",
                           .children = {store.writer(), store.notifier(),
                                        herald::child<client>("client", {store, count, in_flight, &finished, &failed}, elsewhere)}},
                          options};
  app.start();
  const auto caller = app.find<client>("client");
  const stopwatch watch;
  caller.cast(begin{});
  finished.wait();
  auto measured = watch.stop();
  app.stop();
  if (failed != 0 || store.head().sequence != static_cast<std::uint64_t>(count)) {
    throw std::runtime_error{"an action is missing"};
  }
  measured.value = static_cast<double>(count) / measured.wall_s;
  measured.hosts = static_cast<int>(options.hosts);
  measured.workers = static_cast<int>(options.workers);
  return measured;
}

sample sqlite_actions(std::int64_t count, int in_flight) {
  const scratch_directory directory;
  return actions(open_file(directory.file()), count, in_flight);
}

sample memory_actions(std::int64_t count) { return actions(open_memory(), count, 64); }

sample bare_actions(std::int64_t count, int batch) {
  const scratch_directory directory;
  const auto what = bare_sqlite::prepare(directory.file());
  const stopwatch watch;
  bare_sqlite::write(directory.file(), what, count, batch);
  auto measured = watch.stop();
  measured.value = static_cast<double>(count) / measured.wall_s;
  return measured;
}

sample bulk_create(std::int64_t rows, int batch) {
  const scratch_directory directory;
  const auto store = open_file(directory.file());
  herald::application app{{.name = "bench", .children = {store.writer(), store.notifier()}}, size_of_application()};
  app.start();
  const std::vector<std::int64_t> amounts(static_cast<std::size_t>(rows), 4999);
  const stopwatch watch;
  using herald::dsl::field;
  const auto done = store.bulk(
      amounts,
      [](std::int64_t amount) {
        return herald::request_for<described::orders, "place">(field<&order::customer> = "ACME Corporation Ltd",
                                                               field<&order::amount> = amount);
      },
      {.batch_size = static_cast<std::size_t>(batch)});
  auto measured = watch.stop();
  app.stop();
  if (done.created != static_cast<std::uint64_t>(rows)) throw std::runtime_error{"a row is missing"};
  measured.value = static_cast<double>(rows) / measured.wall_s;
  return measured;
}

}  // namespace bench::resources
