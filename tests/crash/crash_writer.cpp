// The program that the crash test kills: writes to a store as fast as it can, from several callers at once, and says on its
// standard output which events its callers were told of, so that the test knows what may not be missing.
//
//   crash_writer FILE SEED [ROOM]   writes until it is killed; prints 8 bytes, a sequence, for each answer that named one
//
// With ROOM, no file may grow by more than so many bytes, as on a disk that is full then; 0 is printed for each answer that
// names the disk as the reason.

#include "crash_resources.hpp"

#include <herald/action.hpp>
#include <herald/detail/store_core.hpp>

#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <random>
#include <semaphore>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

using namespace herald;
using namespace herald::crash;

namespace {

constexpr int callers = 4;
constexpr int in_flight_each = 16;

const resource_table& accounts = table_of<described::accounts>;
const resource_table& entries = table_of<described::entries>;
const resource_table& places = table_of<described::places>;

/// Keys that one caller may act on. A key is here from its row's creation to its end, as far as the caller was told.
class known_keys {
 public:
  void add(const row_key& key) {
    const std::lock_guard lock{mutex_};
    keys_.push_back(key);
  }
  [[nodiscard]] row_key some(std::mt19937_64& random, bool take) {
    const std::lock_guard lock{mutex_};
    if (keys_.empty()) return {};
    const auto at = random() % keys_.size();
    auto key = keys_[at];
    if (take) {
      keys_[at] = std::move(keys_.back());
      keys_.pop_back();
    }
    return key;
  }
  [[nodiscard]] std::size_t size() {
    const std::lock_guard lock{mutex_};
    return keys_.size();
  }

 private:
  std::mutex mutex_;
  std::vector<row_key> keys_;
};

/// The rows a former run left are this run's to change and destroy.
void adopt(detail::storage& data, const resource_table& table, std::array<known_keys, 3>& to, std::size_t which) {
  const auto scanned = data.scan(table, [&](const record& row) { to[which].add(row_key::of(row)); });
  if (!scanned) std::fprintf(stderr, "%s\n", scanned.error().to_string().c_str());
}

class caller {
 public:
  caller(detail::store_core& core, std::array<known_keys, 3>& keys, std::uint64_t seed, int number)
      : core_{core}, keys_{keys}, random_{seed * 1000 + static_cast<std::uint64_t>(number)}, number_{number}, seed_{seed} {}

  void run() {
    while (true) {
      free_.acquire();
      submit_one();
    }
  }

 private:
  void submit_one() {
    const auto which = random_() % 3;
    const auto& table = *tables[which];
    // More rows come than go until there are some hundred, then as many.
    const auto dice = random_() % 100;
    const bool many = keys_[which].size() > 300;
    if (dice < (many ? 25U : 50U)) return submit(which, new_row(which), true);
    const bool destroy = dice >= (many ? 70U : 85U);
    auto key = keys_[which].some(random_, destroy);
    if (key.size() == 0) return submit(which, new_row(which), true);
    auto asked = destroy ? request_by_name(table, destroys_[which], {}) : change(which);
    if (!asked) std::abort();
    asked->key = std::move(key);
    submit(which, *std::move(asked), false);
  }

  [[nodiscard]] action_request new_row(std::size_t which) {
    const auto number = static_cast<std::int64_t>(++made_);
    std::vector<named_value> inputs;
    if (which == 0) {
      inputs = {{"owner", "owner " + std::to_string(seed_) + "." + std::to_string(number_) + "." + std::to_string(number)},
                {"balance", number}};
    } else if (which == 1) {
      inputs = {{"amount", number}, {"text", std::string(random_() % 200, 't')}};
    } else {
      inputs = {{"area", "area " + std::to_string(seed_) + "." + std::to_string(number_)}, {"number", number}};
    }
    auto asked = request_by_name(*tables[which], creates_[which], inputs);
    if (!asked) std::abort();
    return *std::move(asked);
  }

  [[nodiscard]] result<action_request> change(std::size_t which) {
    const auto number = static_cast<std::int64_t>(++made_);
    if (which == 0 && number % 3 == 0) {
      return request_by_name(accounts, "sell",
                             std::vector<named_value>{{"owner", "buyer " + std::to_string(seed_) + "." +
                                                                    std::to_string(number_) + "." + std::to_string(number)}});
    }
    if (which == 0) return request_by_name(accounts, "move", std::vector<named_value>{{"balance", number}});
    if (which == 1) return request_by_name(entries, "strike", {});
    return request_by_name(places, "measure", std::vector<named_value>{{"height", static_cast<double>(number)}});
  }

  void submit(std::size_t which, action_request asked, bool creates) {
    const bool spoils = random_() % 20 == 0;
    auto run = [asked = std::move(asked), spoils](transaction& tx) -> result<action_outcome> {
      auto done = apply(tx, asked);
      // Some actions fail after they have written, and must leave nothing.
      if (done && spoils) return error{resource_errc::invalid, "spoilt"};
      return done;
    };
    const auto taken = core_.submit(std::move(run), [this, which, creates](result<action_outcome> r) {
      if (r && r->event) {
        if (creates) keys_[which].add(r->event->key);
        const std::uint64_t sequence = r->event->at.sequence;
        // One small write: whole or not at all, also when the kill comes now.
        if (::write(STDOUT_FILENO, &sequence, sizeof sequence) != sizeof sequence) std::abort();
      }
      if (!r && (r.is(resource_errc::disk_full) || r.is(resource_errc::io_error))) {
        const std::uint64_t refused = 0;
        if (::write(STDOUT_FILENO, &refused, sizeof refused) != sizeof refused) std::abort();
      }
      free_.release();
    });
    if (!taken) std::abort();
  }

  static constexpr std::array<std::string_view, 3> creates_{"open", "book", "found"};
  static constexpr std::array<std::string_view, 3> destroys_{"close", "strike", "abandon"};
  detail::store_core& core_;
  std::array<known_keys, 3>& keys_;
  std::mt19937_64 random_;
  std::counting_semaphore<> free_{in_flight_each};
  int number_;
  std::uint64_t seed_;
  std::uint64_t made_ = 0;
};

bool number(const char* text, std::uint64_t& to) {
  return std::from_chars(text, text + std::strlen(text), to).ec == std::errc{};
}

/// From now on no file of this program grows beyond what these are, and this: the system refuses the write, as a full disk does.
void leave_room(const std::string& file, std::uint64_t bytes) {
  std::uint64_t largest = 0;
  for (const auto* end : {"", "-wal"}) {
    std::error_code none;
    const auto size = std::filesystem::file_size(file + end, none);
    if (!none) largest = std::max<std::uint64_t>(largest, size);
  }
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{largest + bytes, largest + bytes};
  if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) std::abort();
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seed = 0, room = 0;
  if (argc < 3 || argc > 4 || !number(argv[2], seed) || (argc == 4 && !number(argv[3], room))) {
    std::fputs("usage: crash_writer FILE SEED [ROOM]\n", stderr);
    return 2;
  }
  sqlite_options options;
  options.file = argv[1];
  options.batch_limit = 64;
  auto data = detail::open_sqlite(tables, options);
  if (!data) {
    std::fprintf(stderr, "%s\n", data.error().to_string().c_str());
    return 1;
  }
  if (argc == 4) leave_room(options.file, room);
  detail::store_core core{*data, options};
  std::array<known_keys, 3> keys;
  for (std::size_t i = 0; i < keys.size(); ++i) adopt(**data, *tables[i], keys, i);

  std::vector<std::unique_ptr<caller>> all;
  std::vector<std::thread> threads;
  std::counting_semaphore<> work{0};
  core.on_work([&] { work.release(); });
  for (int i = 0; i < callers; ++i) {
    all.push_back(std::make_unique<caller>(core, keys, seed, i));
    threads.emplace_back([one = all.back().get()] { one->run(); });
  }
  while (true) {
    work.acquire();
    while (core.execute() != 0) {
    }
  }
}
