#include "options.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>

namespace telemetry {

namespace {

// CLI11's own check of a number accepts "1e9" for an integer here and there and speaks of types; these say what is
// wanted.
template <class T>
std::optional<T> whole(const std::string& text) {
  T value{};
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return value;
}

CLI::Option* add_whole(CLI::App& app, const std::string& name, const std::string& help, std::int64_t least,
                       std::int64_t most, const std::function<void(std::int64_t)>& take) {
  return app.add_option_function<std::string>(
      name,
      [=](const std::string& text) {
        const auto value = whole<std::int64_t>(text);
        if (!value || *value < least || *value > most)
          throw CLI::ValidationError(name + " got \"" + text + "\" and wants a whole number from " +
                                     std::to_string(least) + " to " + std::to_string(most));
        take(*value);
      },
      help);
}

CLI::Option* add_path(CLI::App& app, const std::string& name, const std::string& help, std::string& target) {
  return app.add_option_function<std::string>(
      name,
      [name, &target](const std::string& text) {
        if (text.empty()) throw CLI::ValidationError(name + " got an empty name and wants a file");
        target = text;
      },
      help);
}

void add_chaos(CLI::App& app, options& run) {
  app.add_option_function<std::string>(
         "--chaos",
         [&run](const std::string& text) {
           const auto value = whole<double>(text);
           if (!value || !std::isfinite(*value) || *value < 0 || *value > 1000)
             throw CLI::ValidationError("--chaos got \"" + text +
                                        "\" and wants a number of kills a second from 0 to 1000");
           run.chaos = *value;
         },
         "kill a random process of the supervision tree N times a second")
      ->type_name("N");
  app.add_option_function<std::string>(
         "--seed",
         [&run](const std::string& text) {
           const auto value = whole<std::uint64_t>(text);
           if (!value) throw CLI::ValidationError("--seed got \"" + text + "\" and wants a whole number of 64 bits");
           run.seed = *value;
         },
         "seed of the chaos, to see the same kills again")
      ->type_name("N");
}

// CLI11 names what is wrong in words of its own, per kind; ours is always "what it got, and what it wants".
std::string sentence(const CLI::ParseError& error, const std::vector<std::string>& given) {
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    for (const auto& one : given)
      if (std::string{error.what()}.find(one) != std::string::npos && !one.empty())
        return (one.front() == '-' ? "unknown option \"" : "unexpected argument \"") + one +
               "\": the options are listed below";
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    const std::string text{error.what()};
    return text.substr(0, text.find_first_of(": ")) + " wants exactly one value";
  }
  if (dynamic_cast<const CLI::ExcludesError*>(&error) != nullptr)
    return "--plain and --json exclude each other: give one of them";
  return error.what();
}

}  // namespace

parsed_options parse_options(std::vector<std::string> arguments) {
  options run;
  CLI::App app{
      "A telemetry relay for the machine it runs on: what /proc says becomes rows and events of a SQLite\n"
      "store, and the events drive a supervised tree of subscribers. Nothing shown is invented.\n"};
  app.name("herald-telemetry");
  app.get_formatter()->column_width(24);
  app.get_formatter()->label("OPTIONS", "options");
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  add_whole(app, "--seconds", "end after this many seconds (without it: ctrl-c)", 1, 1'000'000,
            [&](std::int64_t value) { run.seconds = seconds{value}; })
      ->type_name("N");
  add_whole(app, "--interval", "milliseconds between two samples (250)", 20, 60'000, [&](std::int64_t value) {
    run.interval = milliseconds{value};
  })->type_name("MS");
  add_path(app, "--db", "the SQLite database; made when it is not there (a temporary one)", run.database)
      ->type_name("FILE");
  add_path(app, "--record", "the recorder's file of JSON lines (beside the database)", run.record)->type_name("FILE");
  bool plain = false;
  bool json = false;
  auto* plain_flag = app.add_flag("--plain", plain, "plain lines instead of the live view");
  auto* json_flag = app.add_flag("--json", json, "one JSON object a line instead of the live view");
  plain_flag->excludes(json_flag);
  add_chaos(app, run);

  parsed_options parsed;
  const auto given = arguments;
  try {
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    app.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    parsed.text = app.help();
    return parsed;
  } catch (const CLI::ParseError& error) {
    parsed.text = "herald-telemetry: " + sentence(error, given) + "\n\n" + app.help();
    parsed.exit_code = 2;
    return parsed;
  }
  run.output = json ? output_mode::json : plain ? output_mode::plain : output_mode::automatic;
  parsed.run = std::move(run);
  return parsed;
}

}  // namespace telemetry
