#include "troubles.hpp"

#include <herald/resource_error.hpp>

#include <algorithm>
#include <array>

namespace telemetry {

void troubles::heed(const herald::error& why) {
  using herald::resource_errc;
  constexpr std::array expected{resource_errc::taken,       resource_errc::not_found, resource_errc::stale,
                                resource_errc::unavailable, resource_errc::timeout,   resource_errc::closed};
  if (std::any_of(expected.begin(), expected.end(), [&](auto code) { return why.is(code); })) return;
  const std::lock_guard lock{mutex_};
  constexpr std::size_t most = 20;
  const auto known = std::find(sentences_.begin(), sentences_.end(), why.message());
  if (known == sentences_.end() && sentences_.size() < most) sentences_.push_back(why.message());
}

std::vector<std::string> troubles::take_news() {
  const std::lock_guard lock{mutex_};
  std::vector<std::string> news{sentences_.begin() + static_cast<std::ptrdiff_t>(told_), sentences_.end()};
  told_ = sentences_.size();
  return news;
}

std::vector<std::string> troubles::all() const {
  const std::lock_guard lock{mutex_};
  return sentences_;
}

}  // namespace telemetry
