#pragma once
// The problem: a store must be copied while it is written, and the copy must be one moment of it, rows and log alike. Copying
// the file itself gives neither: half of what is committed is in the write-ahead log beside it.
//
//   herald::backup(store, "/backups/desk.db")      // while actions run
//
// The copy is an ordinary store file, without gaps from former deletions. It has an epoch of its own, since what is committed
// after it was made is not in it: offsets of the original are `gone` there. Cursors of durable consumers go over.
//
// Thread safety: any thread but a process's (use self.offload). It waits for the disk, and reads in one transaction: the
// original's write-ahead log grows meanwhile. Errors: a file of that name that exists already; what SQLite says. The copy
// appears under its name when it is complete and on the disk, or not at all.

#include <herald/store.hpp>

namespace herald {

[[nodiscard]] result<void> backup(const store& of, const std::string& to);

}  // namespace herald
