#include <herald/exit_reason.hpp>

#include <array>

namespace herald {

std::string exit_reason::to_string() const {
  static constexpr std::array<std::string_view, 6> names{"normal", "shutdown", "killed", "crash", "noproc", "custom"};
  std::string out{names[static_cast<std::size_t>(kind_)]};
  if (text_) out.append(": ").append(*text_);
  return out;
}

}  // namespace herald
