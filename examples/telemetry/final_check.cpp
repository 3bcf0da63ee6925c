#include "final_check.hpp"

#include "record_offset.hpp"
#include "resources.hpp"

#include <herald/json.hpp>
#include <herald/store.hpp>

namespace telemetry {

herald::result<check_counts> compare(const std::string& database, const std::string& record) {
  constexpr std::size_t page = 1024;
  auto check = record_check::load(record);
  if (!check) return check.error();
  const auto log = open_store(database);
  if (!log) return log.error();
  auto at = log->beginning();
  for (;;) {
    const auto stretch = log->read(at, page);
    if (!stretch) return stretch.error();
    for (const auto& event : stretch->events) check->tell(recorded(event->at), herald::to_json(*event));
    if (stretch->last == at || stretch->last == stretch->head) break;
    at = stretch->last;
  }
  return check->counts();
}

}  // namespace telemetry
