#pragma once
// Finds the patterns that match a topic by walking its segments: the cost is the topic's depth and what matches on the
// way, not the number of patterns. Holds the records of those that have subscribers, without a reference of its own: who
// links a record takes it out again before it goes. The records of groups are here, too, under the name or pattern that
// they belong to.
//
// Thread safety: none; the bus guards it.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <herald/engine/topic_record.hpp>

namespace herald::engine {

class pattern_trie {
 public:
  void insert(topic_record& pattern);
  void remove(topic_record& pattern) noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  /// The records of all patterns that match, in a fixed order: from the left, the more exact segment first.
  void find(std::string_view topic, std::vector<topic_record*>& into) const;
  /// Whether any does.
  [[nodiscard]] bool matches(std::string_view topic) const;
  /// Those of exactly this name or pattern.
  [[nodiscard]] std::vector<topic_record*> exactly(std::string_view name) const;

 private:
  struct hash {
    using is_transparent = void;
    [[nodiscard]] std::size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>{}(s); }
  };
  struct node {
    std::unordered_map<std::string, std::unique_ptr<node>, hash, std::equal_to<>> named;
    std::unique_ptr<node> any;      ///< what follows "*"
    std::vector<topic_record*> here;  ///< what ends with this segment
    std::vector<topic_record*> rest;  ///< what ends with "**" after this segment
    [[nodiscard]] bool empty() const noexcept { return named.empty() && !any && here.empty() && rest.empty(); }
  };
  /// f(record) for each match until it says true; says whether one did.
  template <class F>
  static bool walk(const node& at, std::string_view left, bool over, F&& f);
  static void cut(node& at, std::string_view left, bool over, const topic_record& record) noexcept;

  node root_;
  std::size_t count_ = 0;
};

/// What a topic remembers of the trie: the records of the patterns that match it, each with a reference.
class pattern_routes {
 public:
  [[nodiscard]] static pattern_routes* make(const std::vector<topic_record*>& patterns);
  void retain() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept;
  /// Without a look at the records, which go as well.
  void abandon() noexcept;
  [[nodiscard]] auto begin() const noexcept { return records_.begin(); }
  [[nodiscard]] auto end() const noexcept { return records_.end(); }

 private:
  explicit pattern_routes(const std::vector<topic_record*>& patterns) : records_{patterns} {}
  std::atomic<std::uint32_t> refs_{1};
  std::vector<topic_record*> records_;
};

}  // namespace herald::engine
