#include <herald/engine/crash_text.hpp>

#include <cxxabi.h>

#include <cstdlib>
#include <exception>
#include <string>
#include <typeinfo>

namespace herald::engine {

namespace {

std::string readable(const std::type_info& type) {
  int status = 0;
  auto* text = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string out = text != nullptr ? text : type.name();
  std::free(text);  // NOLINT: the ABI hands out malloc'ed memory
  return out;
}

}  // namespace

exit_reason crash_of_current_exception() noexcept {
  try {
    try {
      throw;
    } catch (const std::exception& e) {
      return {exit_reason::crash, readable(typeid(e)) + ": " + e.what()};
    } catch (const char* text) {
      return {exit_reason::crash, text};
    } catch (...) {
      const auto* type = abi::__cxa_current_exception_type();
      return {exit_reason::crash, "an exception of type " + (type != nullptr ? readable(*type) : "unknown")};
    }
  } catch (...) {
    return exit_reason::crash;
  }
}

}  // namespace herald::engine
