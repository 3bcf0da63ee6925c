#pragma once
// The problem: when nobody hears of something, the question is whether the publication was ever meant, its filter said no, or
// its topic had no value. Each publication counts that, since the store was opened in this program.
//
//   for (const auto& one : publication_statistics_of(store, table_of<tickets>)) ...
//
// An event is counted once it is committed. Thread safety: any thread; the numbers of one publication are not read together.
// Errors: none.

#include <herald/resource_table.hpp>

#include <string>
#include <vector>

namespace herald {

class store;

struct publication_statistics {
  std::string topic;             ///< its template, as in the reference page
  std::string event;             ///< the name of its events; empty: the action's
  std::uint64_t matched = 0;     ///< events of its actions
  std::uint64_t filtered = 0;    ///< of these: its filter said no
  std::uint64_t skipped = 0;     ///< of these: each combination of its topic had a part without a value
  std::uint64_t failed = 0;      ///< of these: its filter or topic threw
  std::uint64_t topics = 0;      ///< topics that its events went to, an event's all together
  std::uint64_t topic_bytes = 0; ///< the lengths of these topics' names together: what the publication costs the log's index.
                                 ///< (the payload is kept once an event, however many topics it has)
};

/// In the order of the description; empty when the store does not have the resource.
[[nodiscard]] std::vector<publication_statistics> publication_statistics_of(const store& of, const resource_table& resource);

}  // namespace herald
