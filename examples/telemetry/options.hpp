#pragma once
// What the demo can be told on its command line, and what it answers to a command line it does not understand: one
// sentence that names the option, what it got and what it wants, then the usage, and exit code 2.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace telemetry {

enum class output_mode {
  automatic,
  plain,
  json
};

struct options {
  std::optional<std::chrono::seconds> seconds{};  ///< ends by itself after this long
  std::chrono::milliseconds interval{250};        ///< between two samples
  std::string database{};                         ///< empty: a new one in a temporary folder
  std::string record{};                           ///< empty: beside the database
  output_mode output = output_mode::automatic;
  double chaos = 0;                     ///< kills a second
  std::optional<std::uint64_t> seed{};  ///< of the chaos; empty: a new one, which is printed
};

/// Either options to run with, or a text to print and a code to leave with.
struct parsed_options {
  std::optional<options> run;
  std::string text;  ///< --help: for standard output; an error: for standard error
  int exit_code = 0;
};

/// `arguments` without the program's name.
[[nodiscard]] parsed_options parse_options(std::vector<std::string> arguments);

}  // namespace telemetry
