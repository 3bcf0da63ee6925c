#pragma once
// Snapshots and inspections as text, for a terminal or a log: first what wants attention (stuck handlers, zombies, hosts
// that did not answer, the fullest mailboxes), then the tree or a list, in columns.
//
//   PROCESS      STATE      MAILBOX  HANDLED  RATE/S  RESTARTS  HOST  TYPE
//   root         running          0        0       -         0     0  supervisor
//   ├─ cache     running          3    12.5k       -         0     1  quote_cache
//   └─ alerts    running          0        0       -         0     0  supervisor
//      └─ mail   suspended       17      204       -         1     0  mailer
//
// Functions of values; thread safety: as theirs.

#include <cstddef>
#include <string>

#include <herald/inspect.hpp>
#include <herald/snapshot.hpp>

namespace herald {

struct text_options {
  enum class order_t : std::uint8_t { name, mailbox, rate, handled, memory, restarts };

  bool tree = true;               ///< false: a list with whole paths
  order_t order = order_t::name;  ///< of siblings, or of the list; figures: largest first
  std::size_t rows = 20;          ///< at most so many children of one supervisor, or so many of the list; the rest is summed up
  std::size_t flooded = 5;        ///< so many of the fullest mailboxes stand at the top
  bool memory = true;             ///< a column with bytes
  bool ascii = false;             ///< no box-drawing characters
};

[[nodiscard]] std::string to_text(const snapshot& s, const text_options& options = {});
[[nodiscard]] std::string to_text(const inspection& i);

}  // namespace herald
