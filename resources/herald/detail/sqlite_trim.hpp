#pragma once
// The problem: old events must go without a scan of the whole log: each event knows its topics, so its entries in the index
// of topics are found one by one, and a trim costs what it drops.
//
// Private. Thread safety: the connection's thread, in a transaction that the caller begins and ends. Errors: values.

#include "sqlite.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace herald::detail {

class log_trimmer {
 public:
  [[nodiscard]] static result<log_trimmer> open(sqlite::connection& db);

  struct dropped {
    std::size_t events = 0;
    std::uint64_t bytes = 0;
    std::uint64_t newest = 0;  // of those that were superseded
  };
  /// Drops the events up to `last`, and raises the floor above it.
  [[nodiscard]] result<dropped> drop_to(sqlite::connection& db, std::uint64_t last);
  /// Drops at most `limit` events that a newer one of the same key, not above `newest`, has superseded.
  [[nodiscard]] result<dropped> drop_superseded(sqlite::connection& db, std::uint64_t newest, std::size_t limit);

 private:
  [[nodiscard]] bool take_topics(std::int64_t sequence, std::string_view routes);
  [[nodiscard]] bool forget_topics();

  sqlite::statement old_, delete_old_, raise_floor_, forget_superseded_;
  sqlite::statement superseded_, event_, delete_event_, done_superseded_;
  sqlite::statement delete_entry_, delete_topic_;
  std::vector<std::int64_t> topics_;  // that lost an entry
};

/// What an event costs in the log, as retention by bytes counts it: its payload and routes, and 64 for the rest.
inline constexpr std::uint64_t event_overhead = 64;

}  // namespace herald::detail
