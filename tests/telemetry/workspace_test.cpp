#include "workspace.hpp"
#include "folder.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

using namespace telemetry;
using telemetry::test::folder;

TEST_CASE("without options a run has a temporary folder, which goes with it") {
  std::string place;
  {
    const auto made = workspace::prepare({});
    REQUIRE(made);
    place = made->folder();
    CHECK(std::filesystem::is_directory(place));
    CHECK(made->database() == place + "/telemetry.db");
    CHECK(made->record() == place + "/telemetry.jsonl");
  }
  CHECK_FALSE(std::filesystem::exists(place));
}

TEST_CASE("a folder that may explain what went wrong is kept") {
  std::string place;
  {
    auto made = workspace::prepare({});
    place = made->folder();
    made->keep();
  }
  CHECK(std::filesystem::remove(place));
}

TEST_CASE("files that are named are taken as they are, and never removed") {
  const folder where;
  where.put("a.db", "content");
  {
    const auto made = workspace::prepare({.database = where.file("a.db")});
    CHECK(made->folder().empty());
    CHECK(made->record() == where.file("a.jsonl"));
  }
  CHECK(where.get("a.db") == "content");
  CHECK(workspace::prepare({.database = "a.db", .record = "b.txt"})->record() == "b.txt");
}

TEST_CASE("database and record in one file are refused") {
  const auto made = workspace::prepare({.database = "same.jsonl", .record = "./same.jsonl"});
  REQUIRE_FALSE(made);
  CHECK(made.error().message().find("must be two files") != std::string::npos);
  CHECK_FALSE(workspace::prepare({.database = "same.jsonl"}));  // the record beside it would be the same file
}

TEST_CASE("a temporary folder that cannot be made is one clear sentence") {
  const folder where;
  const auto* before = std::getenv("TMPDIR");
  const std::string old = before == nullptr ? "" : before;
  ::setenv("TMPDIR", where.file("missing").c_str(), 1);
  const auto made = workspace::prepare({});
  if (before == nullptr)
    ::unsetenv("TMPDIR");
  else
    ::setenv("TMPDIR", old.c_str(), 1);
  REQUIRE_FALSE(made);
  CHECK(made.error().message().find("give --db a file") != std::string::npos);
}
