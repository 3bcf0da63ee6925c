#include "folder.hpp"
#include "record_check.hpp"
#include "record_file.hpp"

#include <doctest/doctest.h>

#include <random>

#include <fcntl.h>
#include <sys/resource.h>
#include <csignal>

using namespace telemetry;
using telemetry::test::folder;

namespace {

const std::string epoch = "018f-e";

record_offset at(std::uint64_t sequence) { return {epoch, sequence}; }
std::string event(std::uint64_t number) { return R"({"resource":"proc","number":)" + std::to_string(number) + "}"; }

std::string lines(std::uint64_t first, std::uint64_t last) {
  std::string text;
  for (auto number = first; number <= last; ++number) text += make_record_line(at(number), event(number));
  return text;
}

check_counts check(const folder& where, std::uint64_t committed) {
  auto loaded = record_check::load(where.file("r.jsonl"));
  for (std::uint64_t number = 1; number <= committed; ++number) loaded->tell(at(number), event(number));
  return loaded->counts();
}

}  // namespace

TEST_CASE("a line is written and taken apart") {
  const auto line = make_record_line(at(17), event(17));
  CHECK(line == "{\"epoch\":\"018f-e\",\"sequence\":17,\"event\":{\"resource\":\"proc\",\"number\":17}}\n");
  const auto parsed = parse_record_line(std::string_view{line}.substr(0, line.size() - 1));
  REQUIRE(parsed);
  CHECK(parsed->offset == at(17));
  CHECK(parsed->event == event(17));
  for (const std::string text :
       {"", "{}", "{\"epoch\":\"e\"}", R"({"epoch":"e","sequence":,"event":{}})",
        R"({"epoch":"e","sequence":0,"event":{}})", R"({"epoch":"e","sequence":-1,"event":{}})",
        R"({"epoch":"e","sequence":1,"event":{})", R"({"epoch":"e","sequence":1,"event":3})",
        R"({"epoch":"e\"","sequence":1,"event":{}})"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_record_line(text));
  }
}

TEST_CASE("a new record begins empty; a later opening finds the last offset") {
  const folder where;
  {
    auto file = record_file::open(where.file("r.jsonl"));
    REQUIRE(file);
    CHECK_FALSE(file->last());
    CHECK(file->append(at(1), event(1)).value());
    CHECK(file->append(at(2), event(2)).value());
    CHECK(file->sync());
  }
  auto file = record_file::open(where.file("r.jsonl"));
  REQUIRE(file);
  CHECK(file->last() == at(2));
  CHECK(file->append(at(3), event(3)).value());
  CHECK(where.get("r.jsonl") == lines(1, 3));
}

TEST_CASE("an event that stands in the file already is not written again") {
  const folder where;
  where.put("r.jsonl", lines(1, 5));
  auto file = record_file::open(where.file("r.jsonl"));
  CHECK_FALSE(file->append(at(5), event(5)).value());
  CHECK_FALSE(file->append(at(2), event(2)).value());
  CHECK(where.get("r.jsonl") == lines(1, 5));
}

TEST_CASE("a torn last line is cut, wherever it was torn") {
  const folder where;
  const auto whole = lines(1, 2);
  const auto next = lines(3, 3);
  for (std::size_t cut = 0; cut < next.size(); ++cut) {
    CAPTURE(cut);
    where.put("r.jsonl", whole + next.substr(0, cut));
    auto file = record_file::open(where.file("r.jsonl"));
    REQUIRE(file);
    CHECK(file->last() == at(2));
    CHECK(file->torn() == cut);
    CHECK(where.get("r.jsonl") == whole);
  }
  where.put("r.jsonl", next.substr(0, 10));  // the very first line
  auto first = record_file::open(where.file("r.jsonl"));
  CHECK_FALSE(first->last());
  CHECK(where.get("r.jsonl").empty());
  where.put("r.jsonl", whole + std::string(4096, '\0'));  // a power cut: length without content
  CHECK(record_file::open(where.file("r.jsonl"))->last() == at(2));
  CHECK(where.get("r.jsonl") == whole);
}

TEST_CASE("the last offset is found in a long file and behind a long line") {
  const folder where;
  const std::string fat = "{\"text\":\"" + std::string(200'000, 'x') + "\"}";
  where.put("r.jsonl", lines(1, 5000) + make_record_line(at(5001), fat));
  CHECK(record_file::open(where.file("r.jsonl"))->last() == at(5001));
  where.put("r.jsonl",
            lines(1, 5000) + make_record_line(at(5001), fat) + make_record_line(at(5002), fat).substr(0, 150'000));
  CHECK(record_file::open(where.file("r.jsonl"))->last() == at(5001));
}

TEST_CASE("a file that is something else is refused and not touched") {
  const folder where;
  for (const std::string text : {"root:x:0:0::/root:/bin/sh\n", "no line end", "{\"other\":1}\n", "\n",
                                 "{\"epoch\":\"e\",\"sequence\":1,\"event\":{}}\nnotes"}) {
    CAPTURE(text);
    where.put("r.jsonl", text);
    auto file = record_file::open(where.file("r.jsonl"));
    REQUIRE_FALSE(file);
    CHECK(file.is(record_errc::not_a_record));
    CHECK(file.error().message().find("is no telemetry record") != std::string::npos);
    CHECK(where.get("r.jsonl") == text);
  }
  where.put("r.jsonl", std::string(3U << 20U, '{'));  // one endless line
  CHECK(record_file::open(where.file("r.jsonl")).is(record_errc::not_a_record));
}

TEST_CASE("a place that cannot be written gives one sentence with the file's name and the reason") {
  const folder where;
  const auto missing = record_file::open(where.file("no/such/folder/r.jsonl"));
  REQUIRE(missing.is(record_errc::unusable));
  CHECK(missing.error().message().find("no/such/folder/r.jsonl") != std::string::npos);
  CHECK(missing.error().message().find("No such file or directory") != std::string::npos);
  CHECK(record_file::open(where.path()).is(record_errc::unusable));
  CHECK(record_file::open("/dev/null").is(record_errc::not_a_record));
}

TEST_CASE("a disk that is full in the middle of a line leaves no half line") {
  const folder where;
  auto file = record_file::open(where.file("r.jsonl"));
  REQUIRE(file->append(at(1), event(1)));
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto old = std::signal(SIGXFSZ, SIG_IGN);
  rlimit tight = before;
  tight.rlim_cur = where.get("r.jsonl").size() + 20;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
  const auto full = file->append(at(2), event(2));
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, old);
  CHECK(full.is(record_errc::unusable));
  CHECK(where.get("r.jsonl") == lines(1, 1));
  CHECK(file->append(at(2), event(2)).value());
  CHECK(where.get("r.jsonl") == lines(1, 2));
}

TEST_CASE("the check counts what was committed and what was recorded") {
  const folder where;
  CHECK(check(where, 0).clean());
  CHECK(check(where, 3) == check_counts{.committed = 3, .missing = 3});  // no file at all
  where.put("r.jsonl", lines(1, 3));
  CHECK(check(where, 3) == check_counts{.committed = 3, .recorded = 3});
  CHECK(check(where, 3).clean());
}

TEST_CASE("the check finds each way in which record and log can differ") {
  const folder where;
  where.put("r.jsonl", lines(1, 2) + lines(4, 5));
  CHECK(check(where, 5) == check_counts{.committed = 5, .recorded = 4, .missing = 1});
  where.put("r.jsonl", lines(1, 3) + lines(3, 3));
  CHECK(check(where, 3) == check_counts{.committed = 3, .recorded = 3, .duplicate = 1});
  where.put("r.jsonl", lines(1, 1) + lines(3, 3) + lines(2, 2));
  CHECK(check(where, 3) == check_counts{.committed = 3, .recorded = 3, .out_of_order = 1});
  where.put("r.jsonl", lines(1, 1) + make_record_line(at(2), event(99)));
  CHECK(check(where, 2) == check_counts{.committed = 2, .recorded = 2, .differing = 1});
  where.put("r.jsonl", lines(1, 3));
  CHECK(check(where, 2) == check_counts{.committed = 2, .recorded = 2, .invented = 1});
  where.put("r.jsonl", make_record_line({"other", 1}, event(1)));
  CHECK(check(where, 1) == check_counts{.committed = 1, .missing = 1, .invented = 1});
  where.put("r.jsonl", lines(1, 1) + "garbage\n" + lines(2, 2));
  CHECK(check(where, 2) == check_counts{.committed = 2, .recorded = 2, .unreadable = 1});
  where.put("r.jsonl", lines(1, 2) + lines(3, 3).substr(0, 20));
  CHECK(check(where, 3) == check_counts{.committed = 3, .recorded = 2, .missing = 1});
  CHECK(check(where, 3).complaints() == "1 missing");
}

TEST_CASE("numbers that the log leaves out are counted") {
  const folder where;
  where.put("r.jsonl", lines(1, 1) + lines(4, 4));
  auto loaded = record_check::load(where.file("r.jsonl"));
  loaded->tell(at(1), event(1));
  loaded->tell(at(4), event(4));
  CHECK(loaded->counts() == check_counts{.committed = 2, .recorded = 2, .gaps = 2});
  CHECK_FALSE(loaded->counts().clean());
}

TEST_CASE("whatever a recorder is killed over, its next incarnations complete the file") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random{seed};
  const folder where;
  constexpr std::uint64_t committed = 200;
  for (int lives = 0; lives < 10'000; ++lives) {
    auto file = record_file::open(where.file("r.jsonl"));
    REQUIRE(file);
    const auto from = file->last() ? file->last()->sequence : 0;
    if (from == committed) break;
    const auto handled = random() % 12;
    for (std::uint64_t number = from + 1; number <= committed && number <= from + handled; ++number)
      REQUIRE(file->append(at(number), event(number)).value());
    if (random() % 2 == 0) {  // dies in mid-line
      const auto written = where.get("r.jsonl");
      const auto last_line = written.rfind('\n', written.size() < 2 ? 0 : written.size() - 2);
      const auto begin = last_line == std::string::npos ? 0 : last_line + 1;
      if (begin < written.size()) where.put("r.jsonl", written.substr(0, begin + random() % (written.size() - begin)));
    }
  }
  CHECK(check(where, committed) == check_counts{.committed = committed, .recorded = committed});
}
