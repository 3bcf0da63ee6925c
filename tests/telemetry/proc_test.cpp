#include "folder.hpp"
#include "proc_host.hpp"
#include "proc_process.hpp"
#include "proc_text.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include <unistd.h>

using namespace telemetry;
using telemetry::test::folder;

TEST_CASE("clean text keeps UTF-8 and replaces what a terminal or a JSON writer would choke on") {
  CHECK(clean_text("plain") == "plain");
  CHECK(clean_text("gr\xC3\xBC\xC3\x9F") == "gr\xC3\xBC\xC3\x9F");
  CHECK(clean_text("a\x1B[31mb\n") == "a?[31mb?");
  CHECK(clean_text("\xC2\x9B"
                   "31m") == "?31m");                    // CSI as one C1 character
  CHECK(clean_text("\xFF\xC3") == "??");                 // never valid; cut short
  CHECK(clean_text("\xC0\xAF\xED\xA0\x80") == "?????");  // overlong, surrogate
  CHECK(clean_text("abc\xC3\xBC", 4) == "abc");          // no character is cut in two
}

TEST_CASE("words and lines come off the front, whatever blanks lie between") {
  std::string_view rest = "  one\ttwo  three";
  CHECK(take_word(rest) == "one");
  CHECK(take_word(rest) == "two");
  CHECK(take_word(rest) == "three");
  CHECK(take_word(rest).empty());
  rest = "a\n\nb";
  CHECK(take_line(rest) == "a");
  CHECK(take_line(rest).empty());
  CHECK(take_line(rest) == "b");
  CHECK(rest.empty());
  CHECK(number_or<int>("99999999999", 7) == 7);
  CHECK(number_or<int>("x", 7) == 7);
}

TEST_CASE("processor times: busy is all but idle and waiting, and an offline core leaves a hole") {
  const folder root;
  root.put("stat",
           "cpu  100 10 50 800 40 5 5 10 7 0\n"
           "cpu0 60 5 30 400 20 3 2 5 7 0\n"
           "cpu2 40 5 20 400 20 2 3 5 0 0\n"
           "intr 1 2 3\nctxt 9\nbtime 5\n");
  const auto sample = read_cpu(root.path());
  REQUIRE(sample);
  CHECK(sample->all == cpu_times{180, 1020});
  REQUIRE(sample->cores.size() == 2);
  CHECK(sample->cores[0] == core_times{0, {105, 525}});
  CHECK(sample->cores[1].core == 2);
}

TEST_CASE("a missing or foreign file is no sample") {
  const folder root;
  CHECK_FALSE(read_cpu(root.path()));
  CHECK_FALSE(read_memory(root.path()));
  CHECK_FALSE(read_disks(root.path()));
  CHECK_FALSE(read_network(root.path()));
  root.put("stat", "this is no stat file\n");
  root.put("meminfo", "");
  CHECK_FALSE(read_cpu(root.path()));
  CHECK_FALSE(read_memory(root.path()));
  CHECK(read_facts(root.path()).name == "localhost");
}

TEST_CASE("memory is in bytes, and an old kernel's available memory is estimated") {
  const folder root;
  root.put("meminfo",
           "MemTotal:        1000 kB\nMemFree:          100 kB\nMemAvailable:     700 kB\nBuffers:  10 kB\n"
           "Cached:   300 kB\nSwapTotal:       50 kB\nSwapFree:         20 kB\n");
  const auto sample = read_memory(root.path());
  REQUIRE(sample);
  CHECK(sample->total == 1'024'000);
  CHECK(sample->available == 716'800);
  CHECK(sample->swap_total == 51'200);
  CHECK(sample->swap_free == 20'480);
  root.put("meminfo", "MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 10 kB\nCached: 300 kB\n");
  CHECK(read_memory(root.path())->available == 410 * 1024);
}

TEST_CASE("disks count once: no partition, no loop, no stacked device") {
  const folder root;
  root.put("diskstats",
           "   8       0 sda 10 0 100 5 20 0 200 6 0 0 0\n"
           "   8       1 sda1 10 0 90 5 20 0 190 6 0 0 0\n"
           " 259       0 nvme0n1 1 0 7 0 1 0 9 0 0 0 0\n"
           " 259       1 nvme0n1p1 1 0 7 0 1 0 9 0 0 0 0\n"
           "   7       0 loop0 1 0 50 0 1 0 50 0 0 0 0\n"
           " 252       0 dm-0 1 0 50 0 1 0 50 0 0 0 0\n"
           "  65       0 sdaa 1 0 1 0 1 0 1 0 0 0 0\n");
  const auto sample = read_disks(root.path());
  REQUIRE(sample);
  CHECK(sample->in == (100 + 7 + 1) * 512);
  CHECK(sample->out == (200 + 9 + 1) * 512);
}

TEST_CASE("network: every interface but the loopback, even where the counter sticks to the name") {
  const folder root;
  root.put("net/dev",
           "Inter-|   Receive                    |  Transmit\n face |bytes packets errs drop fifo frame compressed "
           "multicast|bytes packets errs drop fifo colls carrier compressed\n"
           "    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0\n"
           "  eth0:100 1 0 0 0 0 0 0 30 1 0 0 0 0 0 0\n"
           "wlan0: 20 1 0 0 0 0 0 0 4 1 0 0 0 0 0 0\n");
  const auto sample = read_network(root.path());
  REQUIRE(sample);
  CHECK(sample->in == 120);
  CHECK(sample->out == 34);
}

TEST_CASE("a process may be called anything") {
  const auto tail = std::string{" S 1 9 9 0 -1 4194560 1 2 3 4 70 30 0 0 20 0 3 0 12345 1000 25 184467 1 1 0"};
  const auto named = [&](const std::string& name) { return parse_process("42 (" + name + ")" + tail, 4096); };
  const auto sample = named("plain");
  REQUIRE(sample);
  CHECK(sample->key == process_key{42, 12345});
  CHECK(sample->state == 'S');
  CHECK(sample->parent == 1);
  CHECK(sample->cpu_ticks == 100);
  CHECK(sample->threads == 3);
  CHECK(sample->memory == 25 * 4096);
  for (const std::string name : {"a b", "(sd-pam)", ") R 1 (", "", "tab\there"}) {
    CAPTURE(name);
    REQUIRE(named(name));
    CHECK(named(name)->key.started == 12345);
    CHECK(named(name)->name == clean_text(name));
  }
  CHECK(named("new\nline")->name == "new?line");
  CHECK(named("\xFF\x1B")->name == "??");
}

TEST_CASE("what is no stat file of a process is no sample") {
  for (const std::string text :
       {"", "42", "42 (x", "42 x) S 1", "x (y) S 1", "42 (x) S", "42 (x)", ")(", "-3 (x) S 1 2"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_process(text, 4096));
  }
}

TEST_CASE("processes are read by pid, and one that has vanished is skipped") {
  const folder root;
  const auto line = [](int pid) {
    return std::to_string(pid) + " (p" + std::to_string(pid) + ") R 1 9 9 0 -1 0 1 2 3 4 1 1 0 0 20 0 1 0 7 1000 1 1\n";
  };
  root.put("7/stat", line(7));
  root.put("12/stat", line(12));
  root.put("12/cmdline", std::string{"/bin/p12\0--all\0", 15});
  root.put("300/comm", "vanished\n");  // a folder whose stat is gone already
  root.put("301/stat", "");
  root.put("9/stat", line(10));  // another's: the pid was used again between two reads
  root.put("self/stat", line(7));
  root.put("8x/stat", line(8));
  const auto samples = read_processes(root.path());
  REQUIRE(samples.size() == 2);
  CHECK(samples[0].key.pid == 7);
  CHECK(samples[1].key.pid == 12);
  CHECK(samples[1].user == static_cast<std::int64_t>(::getuid()));
  CHECK(read_command(root.path(), samples[0]) == "[p7]");
  CHECK(read_command(root.path(), samples[1]) == "/bin/p12 --all");
}

TEST_CASE("the machine's own /proc is read, and this test is in it") {
  const auto samples = read_processes("/proc");
  const auto mine = std::find_if(samples.begin(), samples.end(), [](auto& one) { return one.key.pid == ::getpid(); });
  REQUIRE(mine != samples.end());
  CHECK(mine->memory > 0);
  CHECK(mine->key.started > 0);
  CHECK(read_cpu("/proc")->all.total > 0);
  CHECK(read_memory("/proc")->total > 0);
}
