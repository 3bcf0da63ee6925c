#include "options.hpp"

#include <doctest/doctest.h>

using namespace telemetry;
using namespace std::chrono_literals;

TEST_CASE("without arguments the demo runs with its defaults until it is told to stop") {
  const auto parsed = parse_options({});
  REQUIRE(parsed.run);
  CHECK_FALSE(parsed.run->seconds);
  CHECK(parsed.run->interval == 250ms);
  CHECK(parsed.run->database.empty());
  CHECK(parsed.run->record.empty());
  CHECK(parsed.run->output == output_mode::automatic);
  CHECK(parsed.run->chaos == 0);
  CHECK_FALSE(parsed.run->seed);
}

TEST_CASE("every option arrives") {
  const auto parsed = parse_options({"--seconds", "20", "--interval=100", "--db", "a.db", "--record", "a.jsonl",
                                     "--plain", "--chaos", "0.5", "--seed", "18446744073709551615"});
  REQUIRE(parsed.run);
  CHECK(parsed.run->seconds == 20s);
  CHECK(parsed.run->interval == 100ms);
  CHECK(parsed.run->database == "a.db");
  CHECK(parsed.run->record == "a.jsonl");
  CHECK(parsed.run->output == output_mode::plain);
  CHECK(parsed.run->chaos == 0.5);
  CHECK(parsed.run->seed == UINT64_MAX);
  CHECK(parse_options({"--json"}).run->output == output_mode::json);
}

TEST_CASE("help goes out with code 0") {
  const auto parsed = parse_options({"--help"});
  CHECK_FALSE(parsed.run);
  CHECK(parsed.exit_code == 0);
  CHECK(parsed.text.find("--chaos N") != std::string::npos);
}

TEST_CASE("a command line that is not understood gets one sentence, the usage, and code 2") {
  struct wrong {
    std::vector<std::string> arguments;
    std::string sentence;
  };
  const std::vector<wrong> cases{
      {{"--sekonds", "3"}, "unknown option \"--sekonds\""},
      {{"-x"}, "unknown option \"-x\""},
      {{"now"}, "unexpected argument \"now\""},
      {{"--seconds"}, "--seconds wants exactly one value"},
      {{"--seconds", "soon"}, "--seconds got \"soon\" and wants a whole number from 1 to 1000000"},
      {{"--seconds", "0"}, "--seconds got \"0\" and wants a whole number from 1"},
      {{"--seconds", "-1"}, "--seconds got \"-1\" and wants a whole number from 1"},
      {{"--seconds", "1.5"}, "--seconds got \"1.5\""},
      {{"--seconds", "99999999999999999999"}, "--seconds got \"99999999999999999999\""},
      {{"--interval", "5"}, "--interval got \"5\" and wants a whole number from 20 to 60000"},
      {{"--chaos", "-1"}, "--chaos got \"-1\" and wants a number of kills a second from 0 to 1000"},
      {{"--chaos", "nan"}, "--chaos got \"nan\""},
      {{"--chaos", "five"}, "--chaos got \"five\""},
      {{"--seed", "0x5"}, "--seed got \"0x5\" and wants a whole number of 64 bits"},
      {{"--db", ""}, "--db got an empty name and wants a file"},
      {{"--record="}, "--record wants exactly one value"},
      {{"--plain", "--json"}, "--plain and --json exclude each other"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.sentence);
    const auto parsed = parse_options(one.arguments);
    CHECK_FALSE(parsed.run);
    CHECK(parsed.exit_code == 2);
    const auto first = parsed.text.substr(0, parsed.text.find('\n'));
    CAPTURE(first);
    CHECK(first.starts_with("herald-telemetry: " + one.sentence));
    CHECK(parsed.text.find("--interval MS") != std::string::npos);
  }
}
