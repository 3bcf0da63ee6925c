#pragma once
// What the demo says where there is no live view: plain lines for people and logs, one JSON object a line for programs.
// Pure: a model or an occurrence gives a line, without its end.
//
// Thread safety: free functions, safe.

#include "record_check.hpp"
#include "view_model.hpp"

#include <string>
#include <vector>

namespace telemetry {

/// A process of the tree began another life.
struct restart_notice {
  std::string path;         ///< "output/recorder"
  std::string reason;       ///< why the life before ended
  std::uint64_t count = 0;  ///< restarts of this process so far
};

class line_format {
 public:
  explicit line_format(bool json) : json_{json} {}

  /// The first line: what runs where.
  [[nodiscard]] std::string opening(const view_model& model) const;
  /// Once a second.
  [[nodiscard]] std::string status(const view_model& model) const;
  [[nodiscard]] std::string alert(std::chrono::seconds elapsed, const alert_view& alert) const;
  [[nodiscard]] std::string restart(std::chrono::seconds elapsed, const restart_notice& notice) const;
  /// Something is wrong that a person should know.
  [[nodiscard]] std::string trouble(std::chrono::seconds elapsed, const std::string& sentence) const;
  /// The result of the check at the end.
  [[nodiscard]] std::string check(const check_counts& counts, std::uint64_t restarts) const;

 private:
  bool json_;
};

/// `events committed N, recorded N, missing N, restarts N`: the sentence that the demo ends with.
[[nodiscard]] std::string check_sentence(const check_counts& counts, std::uint64_t restarts);

}  // namespace telemetry
