#pragma once
// What the SQLite store is measured against: a loop that writes the same rows and events into the same tables, with the same
// indexes and pragmas, from bytes that were encoded before, in batches of a given size, and does nothing else.

#include <cstdint>
#include <string>

namespace bench::bare_sqlite {

/// A row and its event, ready to be bound. Key, name and sequence are counted up by the loop itself.
struct prepared {
  std::string customer;
  std::string status;
  std::int64_t amount = 0;
  std::string payload;
  std::string routes;
  std::int64_t resource = 0;  ///< numbers of the names and of the topic in the file
  std::int64_t action = 0;
  std::int64_t topic = 0;
};

/// Writes `actions` rows with their events into a file that a store has made, `batch` to a transaction.
void write(const std::string& file, const prepared& what, std::int64_t actions, int batch);

/// Makes a store's file with one order in it, and reads what the store wrote, so that the loop writes the same bytes.
[[nodiscard]] prepared prepare(const std::string& file);

/// Reads the columns of every event that a store's reader needs, row by row. Gives how many there are.
[[nodiscard]] std::int64_t read_events(const std::string& file);
/// Writes the payload so many times into a table of nothing else, and gives the bytes that it takes.
[[nodiscard]] std::int64_t bytes_of_payloads(const std::string& file, const std::string& payload, std::int64_t count);
/// The bytes that these tables take in the file.
[[nodiscard]] std::int64_t bytes_of(const std::string& file, const std::string& names);

}  // namespace bench::bare_sqlite
