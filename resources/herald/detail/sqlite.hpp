#pragma once
// The problem: SQLite's C interface hands out raw handles, and its failures are numbers whose meaning depends on the call.
// These two classes own the handles, and turn a failure into one sentence that names the file and what was wanted of it.
//
// Private to resources/; nothing public includes it, and this header does not include sqlite3.h.
// Thread safety: a connection and its statements belong to one thread at a time. Lifetime: statements end before their
// connection. Errors: values (resource_errc). Text and blobs are bound without a copy: they must live until reset().

#include <herald/error.hpp>
#include <herald/resource_error.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace herald::detail::sqlite {

enum class step_result { row, done, failed };

/// A prepared statement. Made once, run many times; a reset is due before it is run again.
class statement {
 public:
  statement() = default;
  explicit statement(sqlite3_stmt* handle) noexcept : handle_{handle} {}
  statement(statement&& other) noexcept : handle_{other.handle_} { other.handle_ = nullptr; }
  statement& operator=(statement&& other) noexcept;
  ~statement();

  void bind(int parameter, std::int64_t value) noexcept;
  void bind(int parameter, double value) noexcept;
  void bind_text(int parameter, std::string_view text) noexcept;
  void bind_blob(int parameter, std::string_view bytes) noexcept;
  void bind_null(int parameter) noexcept;

  [[nodiscard]] step_result step() noexcept;
  void reset() noexcept;

  [[nodiscard]] int column_count() const noexcept;
  [[nodiscard]] bool is_null(int column) const noexcept;
  [[nodiscard]] std::int64_t integer(int column) const noexcept;
  [[nodiscard]] double real(int column) const noexcept;
  /// Text or blob; valid until the next step or reset.
  [[nodiscard]] std::string_view bytes(int column) const noexcept;
  [[nodiscard]] bool valid() const noexcept { return handle_ != nullptr; }

 private:
  sqlite3_stmt* handle_ = nullptr;
};

/// Runs a statement's reset when the reader of its rows is through, whichever way it leaves.
class reset_at_end {
 public:
  explicit reset_at_end(statement& used) noexcept : used_{used} {}
  reset_at_end(const reset_at_end&) = delete;
  reset_at_end& operator=(const reset_at_end&) = delete;
  ~reset_at_end() { used_.reset(); }

 private:
  statement& used_;
};

enum class open_mode { read, write, create };

class connection {
 public:
  connection() = default;
  connection(connection&& other) noexcept;
  connection& operator=(connection&& other) noexcept;
  ~connection();

  /// Opens the file. Waits at most `busy_limit`, at each later statement too, where another program holds a lock.
  [[nodiscard]] static result<connection> open(const std::string& file, open_mode mode,
                                               std::chrono::milliseconds busy_limit);

  /// Runs one or more statements that give no rows. `doing` completes "could not ...".
  [[nodiscard]] result<void> execute(const char* sql, std::string_view doing);
  [[nodiscard]] result<statement> prepare(std::string_view sql, std::string_view doing);
  /// The first column of the first row; nothing when there is none.
  [[nodiscard]] result<std::optional<std::int64_t>> integer_of(std::string_view sql, std::string_view doing);
  [[nodiscard]] result<std::optional<std::string>> text_of(std::string_view sql, std::string_view doing);

  /// The failure of the last call on this connection.
  [[nodiscard]] error failure(std::string_view doing) const;
  /// SQLite's extended result code of the last failed call.
  [[nodiscard]] int last_code() const noexcept;
  /// True while a transaction is open. Full disks, I/O errors and lack of memory may have ended it unasked.
  [[nodiscard]] bool in_transaction() const noexcept;
  /// Rows changed by the last statement.
  [[nodiscard]] std::int64_t changes() const noexcept;
  [[nodiscard]] const std::string& file() const noexcept { return file_; }
  [[nodiscard]] sqlite3* handle() const noexcept { return handle_; }

 private:
  sqlite3* handle_ = nullptr;
  std::string file_;
};

/// An SQL function of two texts that every connection has: condition::like.
inline constexpr std::string_view like_function = "herald_like";
/// What a failure with this code is to a caller.
[[nodiscard]] resource_errc meaning_of(int extended_code) noexcept;
/// True for a failure that is the file's or the machine's, not the action's: FULL, IOERR, NOMEM, CORRUPT and their like.
[[nodiscard]] bool is_environment(int extended_code) noexcept;
/// True for a statement that SQLite does not take, as it is wrong or larger than its bounds.
[[nodiscard]] bool is_refusal(int extended_code) noexcept;
/// "name", quoted for SQL.
[[nodiscard]] std::string quoted(std::string_view name);

}  // namespace herald::detail::sqlite
