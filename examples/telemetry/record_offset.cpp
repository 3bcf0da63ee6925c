#include "record_offset.hpp"

#include <string>

namespace telemetry {

record_offset recorded(const herald::offset& at) {
  // "9f86d081884c7d65-42": the epoch is what stands before the dash.
  auto text = at.to_string();
  text.resize(text.rfind('-'));
  return {std::move(text), at.sequence};
}

std::optional<herald::offset> stored(const record_offset& at) {
  return herald::offset::parse(at.epoch + "-" + std::to_string(at.sequence));
}

}  // namespace telemetry
