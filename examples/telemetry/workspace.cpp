#include "workspace.hpp"

#include "record_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace telemetry {

namespace files = std::filesystem;

herald::result<workspace> workspace::prepare(const options& run) {
  workspace made;
  made.database_ = run.database;
  made.record_ = run.record;
  if (made.database_.empty()) {
    std::error_code failed;
    auto place = (files::temp_directory_path(failed) / "herald-telemetry-XXXXXX").string();
    if (failed || ::mkdtemp(place.data()) == nullptr)
      return herald::error{record_errc::unusable, "a temporary folder like \"" + place + "\" cannot be made: " +
                                                      (failed ? failed.message() : std::strerror(errno)) +
                                                      "; give --db a file, or TMPDIR a folder that can be written"};
    made.folder_ = place;
    made.database_ = place + "/telemetry.db";
  }
  // Beside the database, so that a second start on it finds both.
  if (made.record_.empty()) made.record_ = files::path{made.database_}.replace_extension("jsonl").string();
  const auto plain = [](const std::string& path) {
    std::error_code ignored;
    return files::weakly_canonical(files::absolute(path, ignored), ignored);
  };
  if (plain(made.record_) == plain(made.database_))
    return herald::error{record_errc::unusable,
                         "--record and --db both name \"" + made.record_ + "\": they must be two files"};
  return made;
}

workspace::workspace(workspace&& other) noexcept
    : folder_{std::exchange(other.folder_, {})},
      database_{std::move(other.database_)},
      record_{std::move(other.record_)},
      keep_{other.keep_} {}

workspace::~workspace() {
  if (folder_.empty() || keep_) return;
  std::error_code ignored;
  files::remove_all(folder_, ignored);
}

}  // namespace telemetry
