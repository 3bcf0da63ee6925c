#pragma once
// Where a run keeps its files: what the options name, or a temporary folder that goes when all went well.
//
// Thread safety: distinct objects: safe. Errors: a value, one sentence.

#include "options.hpp"

#include <herald/error.hpp>

#include <string>

namespace telemetry {

class workspace {
 public:
  [[nodiscard]] static herald::result<workspace> prepare(const options& run);
  workspace(workspace&& other) noexcept;
  workspace& operator=(workspace&&) = delete;
  /// Removes the temporary folder, unless it is kept.
  ~workspace();

  [[nodiscard]] const std::string& database() const noexcept { return database_; }
  [[nodiscard]] const std::string& record() const noexcept { return record_; }
  /// Something went wrong: what is there may explain it.
  void keep() noexcept { keep_ = true; }
  [[nodiscard]] const std::string& folder() const noexcept { return folder_; }

 private:
  workspace() = default;
  std::string folder_;  ///< the temporary one; empty when none was needed
  std::string database_;
  std::string record_;
  bool keep_ = false;
};

}  // namespace telemetry
