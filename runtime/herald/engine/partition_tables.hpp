#pragma once
// The partition tables of one application, by path. They outlive their supervisors' lives, so that a partition_ref follows
// restarts. Thread safety: safe.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <herald/engine/core.hpp>
#include <herald/engine/partition_table.hpp>

namespace herald::engine {

class partition_tables final : public core_slot {
 public:
  [[nodiscard]] static partition_tables& of(core& system) {
    static constexpr char key = 0;
    return static_cast<partition_tables&>(system.slot(&key, [] { return std::make_unique<partition_tables>(); }));
  }
  [[nodiscard]] std::shared_ptr<partition_table> find(std::string_view path) {
    const std::lock_guard lock{mutex_};
    const auto found = tables_.find(path);
    return found != tables_.end() ? found->second : nullptr;
  }
  /// The one there is when it fits, a new one otherwise.
  [[nodiscard]] std::shared_ptr<partition_table> make(const std::string& path, std::size_t capacity, const process_ops* type) {
    const std::lock_guard lock{mutex_};
    auto& table = tables_[path];
    if (table == nullptr || table->capacity() != capacity || table->type() != type)
      table = std::make_shared<partition_table>(capacity, type);
    return table;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<partition_table>, std::less<>> tables_;
};

}  // namespace herald::engine
