#include "sqlite.hpp"

#include <herald/condition.hpp>

#include <fmt/format.h>
#include <sqlite3.h>

#include <cassert>
#include <filesystem>
#include <system_error>
#include <utility>

namespace herald::detail::sqlite {

statement& statement::operator=(statement&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

statement::~statement() { sqlite3_finalize(handle_); }

// A bind fails on a wrong index or a statement in use, both bugs of this module, or on a value above SQLite's limit of
// 10^9 bytes, after which the parameter is null and the step fails on NOT NULL or stores what an optional column allows;
// attribute values are bounded far below that before they come here.
void statement::bind(int parameter, std::int64_t value) noexcept {
  [[maybe_unused]] const int code = sqlite3_bind_int64(handle_, parameter, value);
  assert(code == SQLITE_OK);
}

void statement::bind(int parameter, double value) noexcept {
  [[maybe_unused]] const int code = sqlite3_bind_double(handle_, parameter, value);
  assert(code == SQLITE_OK);
}

void statement::bind_text(int parameter, std::string_view text) noexcept {
  // An empty view may have no pointer, and no pointer would mean NULL.
  const char* data = text.data() == nullptr ? "" : text.data();
  [[maybe_unused]] const int code = sqlite3_bind_text64(handle_, parameter, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  assert(code == SQLITE_OK);
}

void statement::bind_blob(int parameter, std::string_view bytes) noexcept {
  const char* data = bytes.data() == nullptr ? "" : bytes.data();
  [[maybe_unused]] const int code = sqlite3_bind_blob64(handle_, parameter, data, bytes.size(), SQLITE_STATIC);
  assert(code == SQLITE_OK);
}

void statement::bind_null(int parameter) noexcept {
  [[maybe_unused]] const int code = sqlite3_bind_null(handle_, parameter);
  assert(code == SQLITE_OK);
}

step_result statement::step() noexcept {
  switch (sqlite3_step(handle_)) {
    case SQLITE_ROW: return step_result::row;
    case SQLITE_DONE: return step_result::done;
    default: return step_result::failed;
  }
}

void statement::reset() noexcept {
  // Its result repeats the failure of the last step, which the caller has seen.
  static_cast<void>(sqlite3_reset(handle_));
}

int statement::column_count() const noexcept { return sqlite3_column_count(handle_); }
bool statement::is_null(int column) const noexcept { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }
std::int64_t statement::integer(int column) const noexcept { return sqlite3_column_int64(handle_, column); }
double statement::real(int column) const noexcept { return sqlite3_column_double(handle_, column); }

std::string_view statement::bytes(int column) const noexcept {
  // The size is asked for after the pointer, since the pointer's call may convert.
  const void* data = sqlite3_column_blob(handle_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_, column));
  return size == 0 ? std::string_view{} : std::string_view{static_cast<const char*>(data), size};
}

connection::connection(connection&& other) noexcept : handle_{other.handle_}, file_{std::move(other.file_)} {
  other.handle_ = nullptr;
}

connection& connection::operator=(connection&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(file_, other.file_);
  return *this;
}

connection::~connection() {
  [[maybe_unused]] const int code = sqlite3_close(handle_);
  assert(code == SQLITE_OK && "a statement outlives its connection");
}

namespace {

/// What can be said about the file before SQLite is asked, in better words than its "unable to open database file".
std::optional<error> refuse_path(const std::string& file, open_mode mode) {
  namespace fs = std::filesystem;
  std::error_code failed;
  const fs::path path{file};
  const auto status = fs::status(path, failed);
  if (fs::is_directory(status)) {
    return error{resource_errc::not_a_database,
                 fmt::format("store file '{}' is a directory, and a file was wanted", file)};
  }
  if (fs::exists(status)) {
    if (!fs::is_regular_file(status)) {
      return error{resource_errc::not_a_database,
                   fmt::format("store file '{}' is a device or a pipe, and a regular file was wanted", file)};
    }
    return std::nullopt;
  }
  const auto parent = path.has_parent_path() ? path.parent_path() : fs::path{"."};
  if (!fs::is_directory(parent, failed)) {
    return error{resource_errc::no_such_directory,
                 fmt::format("store file '{}' cannot be made: the directory '{}' does not exist; make it first", file,
                             parent.string())};
  }
  if (mode != open_mode::create) {
    return error{resource_errc::no_such_file,
                 fmt::format("store file '{}' does not exist, and opening it here does not make it", file)};
  }
  return std::nullopt;
}

int flags_of(open_mode mode) noexcept {
  // One thread has a connection at a time, so SQLite's own mutexes are left out.
  switch (mode) {
    case open_mode::read: return SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
    case open_mode::write: return SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    case open_mode::create: break;
  }
  return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
}

void like(sqlite3_context* call, int, sqlite3_value** arguments) {
  if (sqlite3_value_type(arguments[0]) == SQLITE_NULL || sqlite3_value_type(arguments[1]) == SQLITE_NULL) return;  // null, then
  const auto text = [&](int argument) {
    const auto* data = reinterpret_cast<const char*>(sqlite3_value_text(arguments[argument]));
    return std::string_view{data == nullptr ? "" : data, static_cast<std::size_t>(sqlite3_value_bytes(arguments[argument]))};
  };
  sqlite3_result_int(call, matches_like(text(0), text(1)) ? 1 : 0);
}

}  // namespace

result<connection> connection::open(const std::string& file, open_mode mode, std::chrono::milliseconds busy_limit) {
  if (auto refused = refuse_path(file, mode)) return *std::move(refused);
  connection made;
  made.file_ = file;
  const int code = sqlite3_open_v2(file.c_str(), &made.handle_, flags_of(mode), nullptr);
  if (made.handle_ == nullptr) return error{resource_errc::out_of_memory, "no memory to open store file '" + file + "'"};
  if (code != SQLITE_OK) return made.failure("open it");
  static_cast<void>(sqlite3_extended_result_codes(made.handle_, 1));
  static_cast<void>(sqlite3_busy_timeout(made.handle_, static_cast<int>(busy_limit.count())));
  if (sqlite3_create_function(made.handle_, like_function.data(), 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr, like, nullptr,
                              nullptr) != SQLITE_OK)
    return made.failure("set it up");
  // SQLite falls back to reading when it may not write, and looks at the content only when first asked for it.
  if (mode != open_mode::read && sqlite3_db_readonly(made.handle_, "main") == 1) {
    return error{resource_errc::read_only,
                 fmt::format("store file '{}' is read-only, and writing it was wanted; change its permissions", file)};
  }
  if (auto looked = made.integer_of("PRAGMA schema_version", "read it"); !looked) return looked.error();
  return made;
}

result<void> connection::execute(const char* sql, std::string_view doing) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failure(doing);
  return {};
}

result<statement> connection::prepare(std::string_view sql, std::string_view doing) {
  sqlite3_stmt* made = nullptr;
  if (sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &made, nullptr) !=
      SQLITE_OK) {
    return failure(doing);
  }
  return statement{made};
}

result<std::optional<std::int64_t>> connection::integer_of(std::string_view sql, std::string_view doing) {
  auto asked = prepare(sql, doing);
  if (!asked) return asked.error();
  switch (asked->step()) {
    case step_result::row: return std::optional{asked->integer(0)};
    case step_result::done: return std::optional<std::int64_t>{};
    case step_result::failed: break;
  }
  return failure(doing);
}

result<std::optional<std::string>> connection::text_of(std::string_view sql, std::string_view doing) {
  auto asked = prepare(sql, doing);
  if (!asked) return asked.error();
  switch (asked->step()) {
    case step_result::row: return std::optional{std::string{asked->bytes(0)}};
    case step_result::done: return std::optional<std::string>{};
    case step_result::failed: break;
  }
  return failure(doing);
}

error connection::failure(std::string_view doing) const {
  const int code = last_code();
  const auto about = [&](std::string_view what) { return fmt::format("store file '{}': could not {}: {}", file_, doing, what); };
  switch (code & 0xff) {
    case SQLITE_NOTADB:
      return {resource_errc::not_a_database,
              fmt::format("store file '{}' is not a database (its first bytes are not SQLite's), and a store was wanted",
                          file_)};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {resource_errc::locked, about("another program has locked it and kept the lock beyond the limit; end that "
                                           "program or raise busy_limit")};
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return {resource_errc::read_only, about("it or its directory is read-only; change the permissions")};
    case SQLITE_AUTH: return {resource_errc::read_only, about(sqlite3_errmsg(handle_))};
    case SQLITE_FULL:
      return {resource_errc::disk_full, about("the disk is full; make room, nothing of this was kept")};
    case SQLITE_CANTOPEN:
      return {resource_errc::io_error,
              about(fmt::format("the file cannot be opened ({})", std::system_category().message(sqlite3_system_errno(handle_))))};
    case SQLITE_IOERR:
      return {resource_errc::io_error, about(fmt::format("the disk reports an error (SQLite code {}, {})", code,
                                                         std::system_category().message(sqlite3_system_errno(handle_))))};
    case SQLITE_NOMEM: return {resource_errc::out_of_memory, about("there is no memory left")};
    case SQLITE_CORRUPT:
      return {resource_errc::corrupt, about("the file is damaged; restore it from a copy")};
    default: return {meaning_of(code), about(sqlite3_errmsg(handle_))};
  }
}

int connection::last_code() const noexcept { return sqlite3_extended_errcode(handle_); }
bool connection::in_transaction() const noexcept { return sqlite3_get_autocommit(handle_) == 0; }
std::int64_t connection::changes() const noexcept { return sqlite3_changes64(handle_); }

resource_errc meaning_of(int extended_code) noexcept {
  switch (extended_code & 0xff) {
    case SQLITE_NOTADB: return resource_errc::not_a_database;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return resource_errc::locked;
    case SQLITE_READONLY:
    case SQLITE_PERM: return resource_errc::read_only;
    case SQLITE_FULL: return resource_errc::disk_full;
    case SQLITE_NOMEM: return resource_errc::out_of_memory;
    case SQLITE_CORRUPT: return resource_errc::corrupt;
    default: return resource_errc::io_error;
  }
}

bool is_environment(int extended_code) noexcept {
  switch (extended_code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG: return false;
    default: return true;
  }
}

bool is_refusal(int extended_code) noexcept {
  const int code = extended_code & 0xff;
  return code == SQLITE_ERROR || code == SQLITE_TOOBIG;
}

std::string quoted(std::string_view name) {
  std::string text{"\""};
  for (const char c : name) {
    text += c;
    if (c == '"') text += c;
  }
  return text += '"';
}

}  // namespace herald::detail::sqlite
