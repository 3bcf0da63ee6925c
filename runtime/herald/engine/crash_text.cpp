#include <herald/engine/crash_text.hpp>

#include <cxxabi.h>

#include <array>
#include <cstdlib>
#include <exception>
#include <string>
#include <typeinfo>

namespace herald::engine {

namespace {

std::string demangled(const std::type_info& type) {
  int status = 0;
  auto* text = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string out = text != nullptr ? text : type.name();
  std::free(text);  // NOLINT: the ABI hands out malloc'ed memory
  return out;
}

// A program crashes on few types, and a restart should not wait for the demangler: each thread remembers some.
const std::string& readable(const std::type_info& type) {
  struct known {
    const std::type_info* type = nullptr;
    std::string name;
  };
  thread_local std::array<known, 8> names;
  auto& entry = names[type.hash_code() % names.size()];
  if (entry.type != &type) entry = {&type, demangled(type)};
  return entry.name;
}

}  // namespace

exit_reason crash_of(const std::exception& thrown) noexcept {
  try {
    return {exit_reason::crash, readable(typeid(thrown)) + ": " + thrown.what()};
  } catch (...) {
    return exit_reason::crash;
  }
}

exit_reason crash_of_current_exception() noexcept {
  try {
    try {
      throw;
    } catch (const std::exception& e) {
      return crash_of(e);
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
