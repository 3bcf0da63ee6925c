#pragma once
// Names of processes: "path/id" of every child that has an id, so that find() needs no walk through the tree.
// Thread safety: safe for all; look-ups share.

#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include <herald/engine/process_ops.hpp>

namespace herald::engine {

class directory {
 public:
  struct entry {
    address where;
    const process_ops* type = nullptr;
  };
  void add(const std::string& parent, const std::string& id, address where, const process_ops* type) {
    const std::unique_lock lock{mutex_};
    entries_[join(parent, id)] = {where, type};
  }
  /// Unless somebody else has the name by now: a new supervisor's child may be there before the old one's is gone.
  void remove(const std::string& parent, const std::string& id, const address& where) {
    const std::unique_lock lock{mutex_};
    const auto found = entries_.find(join(parent, id));
    if (found != entries_.end() && found->second.where == where) entries_.erase(found);
  }
  /// At the application's end, all at once.
  void clear() {
    decltype(entries_) old;
    const std::unique_lock lock{mutex_};
    old.swap(entries_);
  }
  [[nodiscard]] entry find(std::string_view path) const {
    const std::shared_lock lock{mutex_};
    const auto found = entries_.find(path);
    return found != entries_.end() ? found->second : entry{};
  }

 private:
  struct hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>{}(s); }
  };
  static std::string join(const std::string& parent, const std::string& id) {
    return parent.empty() ? id : parent + "/" + id;
  }
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, entry, hash, std::equal_to<>> entries_;
};

}  // namespace herald::engine
