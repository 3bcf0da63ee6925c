#pragma once
// The problem: a measurement that the store could not take is made again a moment later, so nobody stops for it; but a
// full disk must be told, once, in one sentence, and not once for each of a thousand failed actions. The troubles are
// what the processes could not do, each sentence once.
//
// Thread safety: shared objects: safe. Bounds: 20 sentences.

#include <herald/error.hpp>

#include <mutex>
#include <string>
#include <vector>

namespace telemetry {

class troubles {
 public:
  /// Remembers what is wrong with the store or the machine; what a restart brings about by itself (a writer that was
  /// away, a row that is there already or no more) is no trouble.
  void heed(const herald::error& why);
  /// What came since the last call.
  [[nodiscard]] std::vector<std::string> take_news();
  [[nodiscard]] std::vector<std::string> all() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> sentences_;
  std::size_t told_ = 0;
};

}  // namespace telemetry
