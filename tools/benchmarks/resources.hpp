#pragma once
// What the stores' benchmarks share: the resource they write, stores of it, and a place for their files.

#include "bench.hpp"

#include <herald/application.hpp>
#include <herald/resource.hpp>
#include <herald/store.hpp>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace bench::resources {

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

inline const std::vector<const herald::resource_table*> tables{&herald::table_of<described::orders>};

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

inline herald::store open_file(const std::string& file) {
  herald::sqlite_options options;
  options.file = file;
  return herald::store::open(tables, options).value();
}
inline herald::store open_memory() { return herald::store::open(tables, herald::memory_options{}).value(); }

/// One host a worker: the writer of a file has a thread of its own besides.
inline herald::application_options size_of_application() {
  herald::application_options options;
  options.workers = static_cast<unsigned>(worker_count());
  options.hosts = options.workers;
  options.sinks = {[](const herald::report&) {}};
  return options;
}

/// For processes that work while the writer or the notifier does: on another host than theirs.
inline const herald::child_options elsewhere{.placement = herald::spread};

inline herald::action_request place_an_order() {
  using herald::dsl::field;
  return herald::request_for<described::orders, "place">(field<&order::customer> = "ACME Corporation Ltd",
                                                         field<&order::amount> = 4999);
}

/// An action from a process to its answer there, `in_flight` at a time. Actions per second.
[[nodiscard]] sample actions(const herald::store& store, std::int64_t count, int in_flight);
/// `store.bulk` from a plain thread, `batch` to a transaction. Rows per second.
[[nodiscard]] sample bulk_create(std::int64_t rows, int batch);
[[nodiscard]] sample sqlite_actions(std::int64_t count, int in_flight);
[[nodiscard]] sample memory_actions(std::int64_t count);
/// The bare loop in place of both.
[[nodiscard]] sample bare_actions(std::int64_t count, int batch);

/// A file's log is read from its beginning and delivered to a process as typed events. Events per second.
[[nodiscard]] sample log_replay(std::int64_t events);
/// A bare statement reads the same columns of the same file, row by row.
[[nodiscard]] sample bare_log_read(std::int64_t events);
/// A durable consumer (at_least_once) is so many events behind, while 10 000 a second are written: seconds until it has handled the
/// newest.
[[nodiscard]] sample catch_up(std::int64_t events);
/// From the COMMIT's return on the writer to the handler of a subscriber of the topic, nothing else being about; p50 in us.
[[nodiscard]] sample commit_to_handler(std::int64_t rounds);
/// What the log's tables take, in a file that the store wrote, for one event with one topic.
[[nodiscard]] sample bytes_per_event(std::int64_t events);
/// The payload alone in a table of (sequence, payload).
[[nodiscard]] sample bytes_per_payload(std::int64_t events);

/// Compiles twenty resources of twelve attributes each: CPU seconds, or the compiler's memory in MB.
[[nodiscard]] sample describe_20();
[[nodiscard]] sample describe_20_memory();
/// One publication with two attributes in its topic: ns for an event.
[[nodiscard]] sample topic_expansion(std::int64_t events);

}  // namespace bench::resources
