#pragma once
// The problem: counting what became of each publication must cost the writer next to nothing, and be readable by anybody.
// One writer adds, so adding is a plain load and store.
//
// Private. Thread safety: count: the writer; everything else: any thread.

#include <herald/event_record.hpp>

#include <array>
#include <atomic>
#include <memory>
#include <vector>

namespace herald::detail {

class publication_counters {
 public:
  enum what : std::size_t { matched, filtered, skipped, failed, topics, topic_bytes };
  using row = std::array<std::atomic<std::uint64_t>, 6>;

  explicit publication_counters(const std::vector<const resource_table*>& tables);

  void count(const event_record& event) noexcept;
  /// Null when the store does not have the resource.
  [[nodiscard]] const row* of(const resource_table& resource) const noexcept;

 private:
  struct of_table {
    const resource_table* table;
    std::unique_ptr<row[]> rows;
  };
  std::vector<of_table> tables_;
};

}  // namespace herald::detail
