#include "file_lock.hpp"

#include <herald/resource_error.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

namespace herald::detail {

namespace {

/// Two spellings of one file (a symbolic link, "./") must meet at the same lock.
std::string lock_name(const std::string& store_file) {
  std::error_code failed;
  const auto real = std::filesystem::weakly_canonical(store_file, failed);
  return (failed ? store_file : real.string()) + "-lock";
}

std::string holder_of(int descriptor) {
  char text[32];
  const auto size = ::pread(descriptor, text, sizeof text, 0);
  if (size <= 0) return "another store";
  const std::string pid{text, static_cast<std::size_t>(size)};
  return pid == std::to_string(::getpid()) ? "another store of this program" : "another program (process " + pid + ")";
}

}  // namespace

file_lock::~file_lock() {
  if (descriptor_ < 0) return;
  // The holder's number would mislead once nobody holds the lock.
  [[maybe_unused]] const auto cleared = ::ftruncate(descriptor_, 0);
  ::close(descriptor_);
}

result<file_lock> file_lock::take(const std::string& store_file) {
  const auto name = lock_name(store_file);
  file_lock made;
  const int descriptor = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) {
    const int why = errno;
    const auto text = fmt::format("store file '{}' cannot be locked: '{}' cannot be opened for writing ({})", store_file,
                                  name, std::system_category().message(why));
    if (why == ENOENT || why == ENOTDIR) return error{resource_errc::no_such_directory, text};
    return error{why == EACCES || why == EROFS || why == EPERM ? resource_errc::read_only : resource_errc::io_error, text};
  }
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int why = errno;
    const auto holder = holder_of(descriptor);
    ::close(descriptor);
    if (why == EWOULDBLOCK) {
      return error{resource_errc::locked,
                   fmt::format("store file '{}' is open in {}, and only one may write it; close that one first",
                               store_file, holder)};
    }
    return error{resource_errc::io_error, fmt::format("store file '{}' cannot be locked: {}", store_file,
                                                      std::system_category().message(why))};
  }
  made.descriptor_ = descriptor;
  const auto pid = std::to_string(::getpid());
  [[maybe_unused]] const auto cleared = ::ftruncate(descriptor, 0);
  [[maybe_unused]] const auto written = ::pwrite(descriptor, pid.data(), pid.size(), 0);
  return made;
}

}  // namespace herald::detail
