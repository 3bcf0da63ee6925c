// Actions per second of the stores, as a process sees them: it keeps 64 in flight; the store's writer does the rest:
// savepoint, action, row, event, topics, COMMIT, answer, and the hand-over to the notifier.

#include "bare_sqlite.hpp"
#include "bench.hpp"

#include <herald/application.hpp>
#include <herald/process.hpp>
#include <herald/resource.hpp>
#include <herald/store.hpp>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace bench {

namespace {

struct order {
  herald::uuid id;
  std::string customer;
  std::string status = "open";
  std::int64_t amount = 0;
  std::int64_t version = 0;
};

namespace described {
using namespace herald::dsl;
inline constexpr auto orders = herald::resource<order>(
    "orders", attribute<&order::id>(primary_key, uuid_v7), attribute<&order::customer>(max_length{100}),
    attribute<&order::status>(one_of{"open", "paid", "sent"}), attribute<&order::amount>(min{0}),
    attribute<&order::version>(optimistic_lock), create("place", accepts<&order::customer, &order::amount>),
    pub_sub("orders", publish("place", topic("placed"))));
}  // namespace described

const herald::resource_table& table = herald::table_of<described::orders>;

constexpr int in_flight = 64;

class scratch_directory {
 public:
  scratch_directory() {
    auto name = (std::filesystem::temp_directory_path() / "herald-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"cannot make " + name};
    path_ = name;
  }
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  ~scratch_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string file() const { return (path_ / "store.db").string(); }

 private:
  std::filesystem::path path_;
};

/// Places orders, always `in_flight` at a time, each new one from the answer to an old one.
struct begin {};
struct client : herald::process<client, begin> {
  struct args {
    herald::store store;
    std::int64_t actions;
    countdown* finished;
    std::atomic<std::int64_t>* failed;
    friend bool operator==(const args&, const args&) = default;
  };
  client(herald::context&, const args& with) : with_{with} {}
  void on(herald::context& self, const begin&) {
    for (int i = 0; i < in_flight; ++i) place(self);
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

/// Runs `actions` through the store, from the request in a process to its answer there, and gives actions per second.
sample run_actions(const herald::store& store, std::int64_t actions) {
  countdown finished{actions};
  std::atomic<std::int64_t> failed{0};
  herald::application_options options;
  options.workers = static_cast<unsigned>(worker_count());
  options.hosts = options.workers;
  herald::application app{
      {.name = "bench",
       .children = {store.writer(), store.notifier(), herald::child<client>("client", {store, actions, &finished, &failed})}},
      options};
  app.start();
  const auto caller = app.find<client>("client");
  const stopwatch watch;
  caller.cast(begin{});
  finished.wait();
  auto measured = watch.stop();
  app.stop();
  if (failed != 0 || store.head().sequence != static_cast<std::uint64_t>(actions)) {
    throw std::runtime_error{"an action is missing"};
  }
  measured.value = static_cast<double>(actions) / measured.wall_s;
  measured.hosts = static_cast<int>(options.hosts);
  measured.workers = static_cast<int>(options.workers);
  return measured;
}

herald::store open(const std::string& file) {
  herald::sqlite_options options;
  options.file = file;
  return herald::store::open({&table}, options).value();
}

sample sqlite_actions(const options& with) {
  const scratch_directory directory;
  return run_actions(open(directory.file()), with.amount(100'000, 20'000));
}

sample bare_sqlite_actions(const options& with) {
  const scratch_directory directory;
  // A store makes the tables and one row with its event, to be imitated; then it is closed.
  static_cast<void>(run_actions(open(directory.file()), 1));
  const auto what = bare_sqlite::prepare(directory.file());
  const auto actions = with.amount(100'000, 20'000);
  const stopwatch watch;
  bare_sqlite::write(directory.file(), what, actions, in_flight);
  auto measured = watch.stop();
  measured.value = static_cast<double>(actions) / measured.wall_s;
  return measured;
}

sample memory_actions(const options& with) {
  return run_actions(herald::store::open({&table}, herald::memory_options{}).value(), with.amount(1'000'000, 200'000));
}

}  // namespace

void add_resources_benchmarks(registry& to) {
  to.add({.name = "store_sqlite_actions",
          .unit = "actions/s",
          .direction = better::higher,
          .ours = {"SQLite store, 64 in flight", sqlite_actions},
          .baseline = side{"bare SQLite loop, batches of 64", bare_sqlite_actions}});
  to.add({.name = "store_memory_actions",
          .unit = "actions/s",
          .direction = better::higher,
          .ours = {"memory store, 64 in flight", memory_actions}});
}

}  // namespace bench
