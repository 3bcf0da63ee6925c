#pragma once
// The problem: publishers and subscribers meet by a name alone, so a name that only looks right loses messages silently.
// A topic's name is checked where it is used, and what is wrong with it is said.
//
// The rules: 1 to 1024 bytes of UTF-8 without control characters, in segments joined by ":", none of them empty
// ("orders:eu:created"). A segment that is "*" or "**" is a wildcard: patterns have them, names do not. "*" stands for
// one segment, whatever it says; "**" for all that follow, none included, and therefore only last:
//
//   orders:*      orders:eu, but neither orders nor orders:eu:created
//   orders:**     orders, orders:eu, orders:eu:created
//   *:created     everything of two segments that ends so;   **  everything
//
// Thread safety: pure functions. Errors: values with one sentence that names the topic, what it has and what it wants.
// The idea: Phoenix.PubSub's topics, with the segments of MQTT and AMQP.

#include <cstddef>
#include <string>
#include <string_view>

#include <herald/pubsub_error.hpp>

namespace herald {

inline constexpr std::size_t max_topic_bytes = 1024;
inline constexpr char topic_delimiter = ':';

/// Whether `name` may be published to; the first thing wrong with it otherwise.
[[nodiscard]] result<void> check_topic(std::string_view name);
/// Whether `pattern` may be subscribed to: a name, or one with wildcards; the first thing wrong with it otherwise.
[[nodiscard]] result<void> check_pattern(std::string_view pattern);
/// Whether one of its segments is a wildcard.
[[nodiscard]] bool is_pattern(std::string_view name) noexcept;
/// Whether the topic's name is one that the pattern (or name) stands for. Both must be right (check_...).
[[nodiscard]] bool matches(std::string_view pattern, std::string_view topic) noexcept;

/// `value` as one segment: what a segment may not have, and "%", become %XX; an empty value becomes "%". Different values
/// give different segments, and none of them is a wildcard.
[[nodiscard]] std::string escape_segment(std::string_view value);
/// What escape_segment was given; "%" without two hex digits behind it stays.
[[nodiscard]] std::string unescape_segment(std::string_view segment);

/// The segments of a name, one after the other:  for (auto s : topic_segments{"orders:eu"}) ...
class topic_segments {
 public:
  class iterator {
   public:
    [[nodiscard]] std::string_view operator*() const noexcept { return rest_.substr(0, end_); }
    iterator& operator++() noexcept {
      rest_ = end_ < rest_.size() ? rest_.substr(end_ + 1) : std::string_view{};
      over_ = end_ == npos_;
      find();
      return *this;
    }
    friend bool operator==(const iterator& left, const iterator& right) noexcept { return left.over_ == right.over_; }

   private:
    friend class topic_segments;
    iterator(std::string_view rest, bool over) noexcept : rest_{rest}, over_{over} { find(); }
    void find() noexcept { end_ = rest_.find(topic_delimiter); }
    static constexpr std::size_t npos_ = std::string_view::npos;
    std::string_view rest_;
    std::size_t end_ = npos_;
    bool over_;
  };

  explicit topic_segments(std::string_view name) noexcept : name_{name} {}
  [[nodiscard]] iterator begin() const noexcept { return {name_, false}; }
  [[nodiscard]] iterator end() const noexcept { return {{}, true}; }

 private:
  std::string_view name_;
};

}  // namespace herald
