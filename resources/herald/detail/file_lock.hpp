#pragma once
// The problem: two writers on one store would each number events for themselves. SQLite lets any number of connections take
// turns at writing, so the store takes a lock of its own for as long as it is open: the flock of a file beside it.
//
// flock belongs to the opened file, so it also keeps a second store of the same program out, and the kernel releases it
// when the program ends, however it ends. A lock on the database file itself would not do: closing any descriptor of that
// file would take SQLite's own locks away. Network file systems without flock are not supported.
//
// Thread safety: one object, one thread at a time. Lifetime: the lock is held until the destructor.

#include <herald/error.hpp>

#include <string>
#include <utility>

namespace herald::detail {

class file_lock {
 public:
  file_lock() = default;
  file_lock(file_lock&& other) noexcept : descriptor_{std::exchange(other.descriptor_, -1)} {}
  file_lock& operator=(file_lock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~file_lock();

  /// Locks `store_file` by its companion "-lock"; fails at once, never waits, when someone else holds it.
  [[nodiscard]] static result<file_lock> take(const std::string& store_file);

 private:
  int descriptor_ = -1;
};

}  // namespace herald::detail
