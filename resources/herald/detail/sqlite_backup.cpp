#include "sqlite_storage.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <system_error>
#include <unistd.h>

namespace herald::detail {

namespace {

error refused(const std::string& to, std::string_view why) {
  return {resource_errc::io_error, fmt::format("backup '{}' was not made: {}", to, why)};
}

/// What was written, or that a name is another's now, is on the disk.
bool sync(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool done = ::fsync(file) == 0;
  ::close(file);
  return done;
}

result<void> give_epoch(const std::string& file, std::chrono::milliseconds busy_limit) {
  auto db = sqlite::connection::open(file, sqlite::open_mode::write, busy_limit);
  if (!db) return db.error();
  const auto before = db->integer_of("SELECT value FROM herald_meta WHERE name = 'epoch'", "give the copy its epoch");
  if (!before) return before.error();
  auto made = log_tables::give_new_epoch(*db);
  if (!made) return made;
  // Its consumers have handled what its log says they have, whatever the epoch is called.
  const auto sql = fmt::format("UPDATE herald_cursor SET epoch = (SELECT value FROM herald_meta WHERE name = 'epoch') WHERE epoch = {}",
                               before->value_or(0));
  return db->execute(sql.c_str(), "give the copy its epoch");
}

result<void> copy(const std::string& from, const std::string& part, std::chrono::milliseconds busy_limit) {
  auto db = sqlite::connection::open(from, sqlite::open_mode::read, busy_limit);
  if (!db) return db.error();
  auto into = db->prepare("VACUUM INTO ?1", "copy it");
  if (!into) return into.error();
  into->bind_text(1, part);
  if (into->step() == sqlite::step_result::failed) return db->failure(fmt::format("copy it to '{}'", part));
  return give_epoch(part, busy_limit);
}

}  // namespace

result<void> sqlite_storage::backup(const std::string& to) {
  namespace fs = std::filesystem;
  std::error_code failed;
  if (fs::exists(to, failed)) return refused(to, "there is a file of that name; take another name, or remove it first");
  const fs::path target{to};
  const auto folder = target.has_parent_path() ? target.parent_path() : fs::path{"."};
  if (!fs::is_directory(folder, failed)) {
    return error{resource_errc::no_such_directory, fmt::format("backup '{}' was not made: the directory '{}' does not exist", to, folder.string())};
  }
  const std::string part = to + ".part";
  fs::remove(part, failed);
  auto done = copy(options_.file, part, options_.busy_limit);
  if (done && !sync(part)) done = refused(to, std::system_category().message(errno));
  if (done && std::rename(part.c_str(), to.c_str()) != 0) done = refused(to, std::system_category().message(errno));
  if (done && !sync(folder.string())) done = refused(to, std::system_category().message(errno));
  if (!done) fs::remove(part, failed);
  return done;
}

}  // namespace herald::detail
