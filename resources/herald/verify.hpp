#pragma once
// The problem: "no row without its events, no event without its row" is a promise about disks and crashes, so it must be
// possible to check it on what is really there. `verify` opens a store's file, which no program may have open for writing, and
// proves what docs/formats/log.md says always holds: it reads every event and every row and compares them, and
// looks for the row that each belongs_to names.
//
// Thread safety: a function. Errors: those of opening (resource_errc); what does not hold is in the report, a sentence each.
// An action that was run without its event (notify = false) leaves a row that nothing explains, and is reported.

#include <herald/error.hpp>
#include <herald/resource_table.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace herald {

struct verification {
  std::uint64_t events = 0;  ///< read from the log
  std::uint64_t rows = 0;    ///< found in the tables
  std::uint64_t floor = 0;   ///< the log's lowest sequence...
  std::uint64_t head = 0;    ///< ...and its newest one
  std::uint64_t unexplained = 0;     ///< rows whose events all lie below the floor: neither proven nor wrong
  std::vector<std::string> faults;   ///< what does not hold; at most 100 are listed
  std::uint64_t fault_count = 0;

  [[nodiscard]] bool holds() const noexcept { return fault_count == 0; }
};

/// Checks a store's file. `tables` describe the resources it was written with.
[[nodiscard]] result<verification> verify(const std::string& file, const std::vector<const resource_table*>& tables);

namespace detail {
class storage;
/// The same of an open store, in which nothing is written meanwhile.
[[nodiscard]] result<verification> verify(storage& data);
}  // namespace detail

}  // namespace herald
