#include "proc_process.hpp"

#include "proc_text.hpp"

#include <algorithm>
#include <memory>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

namespace telemetry {

namespace {

std::uint64_t page_bytes() {
  const auto size = ::sysconf(_SC_PAGESIZE);
  return size > 0 ? static_cast<std::uint64_t>(size) : 4096;
}

void skip_words(std::string_view& rest, int count) {
  for (int done = 0; done < count; ++done) (void)take_word(rest);
}

}  // namespace

std::optional<process_sample> parse_process(std::string_view stat, std::uint64_t page) {
  const auto open = stat.find('(');
  const auto close = stat.rfind(')');  // the last one: the name may hold any number of them
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  process_sample sample;
  sample.key.pid = number_or<std::int64_t>(stat.substr(0, open), -1);
  if (sample.key.pid <= 0) return std::nullopt;
  sample.name = clean_text(stat.substr(open + 1, close - open - 1), 64);

  auto rest = stat.substr(close + 1);
  const auto state = take_word(rest);
  if (state.size() != 1) return std::nullopt;
  sample.state = state.front();
  sample.parent = take_number<std::int64_t>(rest);
  skip_words(rest, 9);  // pgrp session tty_nr tpgid flags minflt cminflt majflt cmajflt
  sample.cpu_ticks = take_number<std::uint64_t>(rest);
  sample.cpu_ticks += take_number<std::uint64_t>(rest);
  skip_words(rest, 4);  // cutime cstime priority nice
  sample.threads = take_number<std::int64_t>(rest);
  skip_words(rest, 1);  // itrealvalue
  const auto started = take_word(rest);
  if (started.empty()) return std::nullopt;
  sample.key.started = number_or<std::int64_t>(started);
  skip_words(rest, 1);  // vsize
  const auto pages = take_number<std::int64_t>(rest);
  sample.memory = pages > 0 ? static_cast<std::uint64_t>(pages) * page : 0;
  return sample;
}

std::optional<process_sample> read_process(const std::string& root, std::int64_t pid) {
  const auto folder = root + "/" + std::to_string(pid);
  const auto text = read_text(folder + "/stat", 4096);
  if (!text) return std::nullopt;
  auto sample = parse_process(*text, page_bytes());
  if (!sample || sample->key.pid != pid) return std::nullopt;
  struct stat facts {};
  if (::stat(folder.c_str(), &facts) == 0) sample->user = facts.st_uid;
  return sample;
}

std::vector<process_sample> read_processes(const std::string& root) {
  std::vector<process_sample> samples;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder{::opendir(root.c_str()), ::closedir};
  if (!folder) return samples;
  while (const auto* entry = ::readdir(folder.get())) {
    const std::string_view name{entry->d_name};
    if (name.find_first_not_of("0123456789") != std::string_view::npos) continue;
    if (auto sample = read_process(root, number_or<std::int64_t>(name))) samples.push_back(std::move(*sample));
  }
  std::sort(samples.begin(), samples.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return samples;
}

std::string read_command(const std::string& root, const process_sample& of) {
  constexpr std::size_t longest = 160;
  auto text = read_text(root + "/" + std::to_string(of.key.pid) + "/cmdline", 4096);
  if (!text || text->empty()) return "[" + of.name + "]";
  while (!text->empty() && text->back() == '\0') text->pop_back();
  std::replace(text->begin(), text->end(), '\0', ' ');
  auto clean = clean_text(*text, longest);
  return clean.empty() ? "[" + of.name + "]" : clean;
}

}  // namespace telemetry
