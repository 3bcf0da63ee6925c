#pragma once
// The problem: all stores keep the same contract (<herald/store.hpp>), but not all outlive the program. What a store can do
// beyond the contract is asked of it at run time, not guessed from how it was opened.
//
// Thread safety: plain value.

#include <string_view>

namespace herald {

struct store_capabilities {
  std::string_view kind;          ///< "memory", "sqlite"
  bool survives_program = false;  ///< What is committed is there after the program's end, by kill -9 too...
  bool survives_machine = false;  ///< ...and after the machine's.
  bool backup = false;            ///< It can be copied while it is written (<herald/backup.hpp>).
  bool blocks = false;            ///< Its writer waits for a disk, and has a thread of its own.
};

}  // namespace herald
