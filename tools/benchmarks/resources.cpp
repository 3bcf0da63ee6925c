// Actions per second of the stores. A caller on a thread of its own keeps 64 of them in flight, and the store's writer, on
// another, does the rest: savepoint, action, row, event, topics, COMMIT, answer.

#include "bare_sqlite.hpp"
#include "bench.hpp"

#include <herald/action.hpp>
#include <herald/detail/store_core.hpp>
#include <herald/resource.hpp>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>

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

herald::action_request place_order() {
  auto made = herald::request_by_name(table, "place",
                                      std::vector<herald::named_value>{{"customer", "ACME Corporation Ltd"}, {"amount", 4999}});
  return std::move(made).value();
}

std::shared_ptr<herald::detail::storage> open(const std::string& file) {
  herald::sqlite_options options;
  options.file = file;
  return herald::detail::open_sqlite({&table}, options).value();
}

/// Runs `actions` through the store, `in_flight` at a time, and gives the sample with actions per second.
sample run_actions(std::shared_ptr<herald::detail::storage> data, std::int64_t actions) {
  herald::store_options options;
  herald::detail::store_core core{std::move(data), options};
  std::counting_semaphore<> work{0}, room{in_flight};
  std::atomic<bool> stop{false};
  std::atomic<std::int64_t> failed{0};
  std::uint64_t handed_over = 0;
  core.on_work([&] { work.release(); });
  core.on_commit([&](std::span<const herald::event_ptr> events) { handed_over += events.size(); });
  std::thread writer{[&] {
    while (true) {
      work.acquire();
      if (stop) return;
      while (core.execute() != 0) {
      }
    }
  }};
  const auto asked = place_order();
  const stopwatch watch;
  for (std::int64_t i = 0; i < actions; ++i) {
    room.acquire();
    auto taken = core.submit([asked](herald::transaction& tx) { return herald::apply(tx, asked); },
                             [&](const herald::result<herald::action_outcome>& r) {
                               if (!r) ++failed;
                               room.release();
                             });
    if (!taken) throw std::runtime_error{taken.error().to_string()};
  }
  for (int i = 0; i < in_flight; ++i) room.acquire();
  auto measured = watch.stop();
  stop = true;
  work.release();
  writer.join();
  if (failed != 0 || handed_over != static_cast<std::uint64_t>(actions)) throw std::runtime_error{"an action is missing"};
  measured.value = static_cast<double>(actions) / measured.wall_s;
  return measured;
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
  return run_actions(herald::detail::open_memory({&table}, {}).value(), with.amount(1'000'000, 200'000));
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
