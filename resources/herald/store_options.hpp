#pragma once
// What can be chosen when a store is opened. The defaults are safe: a commit is on the disk before anyone hears of it, and
// nothing waits or grows without an end.
//
// Thread safety: plain values; the clock is called from the writer's thread only, one call at a time. Errors: store::open says what
// it cannot do with them; values beyond a range are taken as its nearest end.

#include <herald/uuid.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace herald {

struct resource_table;

/// What a commit survives.
enum class durability : std::uint8_t {
  full,     ///< The machine's end. Each batch waits for the disk (synchronous = FULL).
  relaxed,  ///< The program's end, but not the machine's (synchronous = NORMAL): then the newest commits vanish, rows and
            ///< events together, and the log's epoch changes, so that no subscriber mistakes the new history for the old.
};

/// What a store's log may forget. An event goes once one of the bounds says so and no durable consumer needs it any more.
/// Zero: no bound of that kind; without any, the log keeps everything. Counted from the oldest event on; looked at while
/// the writer works and when it has nothing to do, so a bound may be overstepped by some hundred events for a while.
struct log_retention {
  /// Older events may go. The writer process looks for them at least every minute.
  std::chrono::seconds age{0};
  std::uint64_t events = 0;  ///< So many are kept.
  std::uint64_t bytes = 0;   ///< So many are kept: payloads and topics as they are stored, and 64 for the rest of each event.
  /// What a durable consumer has not handled is kept, also for one that is paused or was away for years...
  bool wait_for_consumers = true;
  /// ...but never more than so many events, or bytes: then it finds its cursor `gone`.
  std::uint64_t hard_events = 0;
  std::uint64_t hard_bytes = 0;
  /// Resources of which only the newest event of each key is kept, once everybody above has handled it: for state that is
  /// followed, not history. Events written before a resource was listed here stay until the other bounds reach them.
  std::vector<const resource_table*> compact{};

  [[nodiscard]] bool bounded() const noexcept {
    return age.count() > 0 || events != 0 || bytes != 0 || hard_events != 0 || hard_bytes != 0 || !compact.empty();
  }
};

/// Options of every store.
struct store_options {
  /// Actions that one transaction takes at most; 1 to 4096. More make a commit cheaper per action, and later.
  std::size_t batch_limit = 256;
  /// Actions that may wait for the writer; further ones are refused with `overload`. At least 1.
  std::size_t queue_limit = 100'000;
  /// The time, for events, time stamps and uuids. Empty: the system's clock.
  std::function<timestamp()> clock{};
  /// Begins the sequence of generated uuids; 0: at random. Anything else is for simulations.
  std::uint64_t uuid_seed = 0;
  /// What the log may forget. Default: nothing (but see memory_options::keep_events).
  log_retention retention{};
};

// Each kind of store names its own options first, so that `sqlite_options{.file = "desk.db"}` says what it must.

struct memory_options {
  /// Events that the log keeps; older ones go and raise its floor. 0: all, without a bound. Default: 1 000 000.
  std::size_t keep_events = 1'000'000;

  // As store_options says.
  std::size_t batch_limit = store_options{}.batch_limit;
  std::size_t queue_limit = store_options{}.queue_limit;
  std::function<timestamp()> clock{};
  std::uint64_t uuid_seed = 0;
  log_retention retention{};

  operator store_options() const { return {batch_limit, queue_limit, clock, uuid_seed, retention}; }  // NOLINT: they are
};

struct sqlite_options {
  /// The database file. Made when it does not exist; its directory must.
  std::string file{};
  herald::durability durability = durability::full;
  /// How long a statement waits for a lock that another program holds on the file.
  std::chrono::milliseconds busy_limit{5000};
  /// SQLite's page cache for the writer, in KiB.
  std::size_t cache_kib = 65'536;
  /// Readers that may have the file open at once; a further one waits for its turn. 1 to 64.
  std::size_t readers = 4;

  // As store_options says.
  std::size_t batch_limit = store_options{}.batch_limit;
  std::size_t queue_limit = store_options{}.queue_limit;
  std::function<timestamp()> clock{};
  std::uint64_t uuid_seed = 0;
  log_retention retention{};

  operator store_options() const { return {batch_limit, queue_limit, clock, uuid_seed, retention}; }  // NOLINT: they are
};

}  // namespace herald
