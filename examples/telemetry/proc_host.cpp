#include "proc_host.hpp"

#include "proc_text.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace telemetry {

namespace {

constexpr std::uint64_t sector_bytes = 512;  // diskstats counts in these, whatever the device's own size is

cpu_times parse_cpu_times(std::string_view fields) {
  std::array<std::uint64_t, 8> ticks{};  // user nice system idle iowait irq softirq steal
  for (auto& tick : ticks) tick = take_number<std::uint64_t>(fields);
  cpu_times times;
  for (const auto tick : ticks) times.total += tick;
  times.busy = times.total - ticks[3] - ticks[4];
  return times;
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Devices that pass every byte on to another device of the list, or keep it in memory.
bool is_stacked(std::string_view disk) {
  constexpr std::array<std::string_view, 5> stacked{"loop", "ram", "zram", "dm-", "md"};
  return std::any_of(stacked.begin(), stacked.end(), [&](auto prefix) { return disk.starts_with(prefix); });
}

// sda1 of sda, nvme0n1p2 of nvme0n1.
bool is_partition_of(std::string_view name, std::string_view disk) {
  if (name.size() <= disk.size() || !name.starts_with(disk)) return false;
  auto rest = name.substr(disk.size());
  const bool ends_in_digit = disk.back() >= '0' && disk.back() <= '9';
  if (ends_in_digit) {
    if (rest.front() != 'p') return false;
    rest.remove_prefix(1);
  }
  return is_digits(rest);
}

}  // namespace

std::optional<cpu_sample> read_cpu(const std::string& root) {
  const auto text = read_text(root + "/stat");
  if (!text) return std::nullopt;
  cpu_sample sample;
  bool found = false;
  std::string_view rest{*text};
  while (!rest.empty()) {
    auto line = take_line(rest);
    const auto label = take_word(line);
    if (!label.starts_with("cpu")) continue;
    if (label == "cpu") {
      sample.all = parse_cpu_times(line);
      found = true;
    } else if (is_digits(label.substr(3))) {
      sample.cores.push_back({number_or<int>(label.substr(3)), parse_cpu_times(line)});
    }
  }
  if (!found) return std::nullopt;
  return sample;
}

std::optional<memory_sample> read_memory(const std::string& root) {
  const auto text = read_text(root + "/meminfo");
  if (!text) return std::nullopt;
  memory_sample sample;
  std::uint64_t unused = 0;
  bool available_known = false;
  std::string_view rest{*text};
  while (!rest.empty()) {
    auto line = take_line(rest);
    const auto label = take_word(line);
    const auto bytes = take_number<std::uint64_t>(line) * 1024;
    if (label == "MemTotal:") sample.total = bytes;
    if (label == "MemFree:" || label == "Buffers:" || label == "Cached:") unused += bytes;
    if (label == "SwapTotal:") sample.swap_total = bytes;
    if (label == "SwapFree:") sample.swap_free = bytes;
    if (label == "MemAvailable:") {
      sample.available = bytes;
      available_known = true;
    }
  }
  if (sample.total == 0) return std::nullopt;
  if (!available_known) sample.available = unused;  // kernels before 3.14, and some containers
  sample.available = std::min(sample.available, sample.total);
  return sample;
}

std::optional<traffic_sample> read_disks(const std::string& root) {
  const auto text = read_text(root + "/diskstats");
  if (!text) return std::nullopt;
  struct disk {
    std::string_view name;
    traffic_sample traffic;
  };
  std::vector<disk> disks;
  std::string_view rest{*text};
  while (!rest.empty()) {
    auto line = take_line(rest);
    (void)take_word(line);
    (void)take_word(line);
    disk one;
    one.name = take_word(line);
    if (one.name.empty() || is_stacked(one.name)) continue;
    std::array<std::uint64_t, 7> counters{};  // reads merged sectors ms writes merged sectors
    for (auto& counter : counters) counter = take_number<std::uint64_t>(line);
    one.traffic = {counters[2] * sector_bytes, counters[6] * sector_bytes};
    disks.push_back(one);
  }
  traffic_sample sum;
  for (const auto& one : disks) {
    const bool part = std::any_of(disks.begin(), disks.end(),
                                  [&](const disk& whole) { return is_partition_of(one.name, whole.name); });
    if (part) continue;
    sum.in += one.traffic.in;
    sum.out += one.traffic.out;
  }
  return sum;
}

std::optional<traffic_sample> read_network(const std::string& root) {
  const auto text = read_text(root + "/net/dev");
  if (!text) return std::nullopt;
  traffic_sample sum;
  std::string_view rest{*text};
  while (!rest.empty()) {
    auto line = take_line(rest);
    const auto colon = line.find(':');  // large counters used to stick to the name: "eth0:1234"
    if (colon == std::string_view::npos) continue;
    auto head = line.substr(0, colon);
    auto counters = line.substr(colon + 1);
    if (take_word(head) == "lo") continue;
    sum.in += take_number<std::uint64_t>(counters);
    for (int skipped = 0; skipped < 7; ++skipped) (void)take_word(counters);
    sum.out += take_number<std::uint64_t>(counters);
  }
  return sum;
}

machine_facts read_facts(const std::string& root) {
  machine_facts facts;
  if (const auto text = read_text(root + "/sys/kernel/hostname")) {
    std::string_view rest{*text};
    if (const auto name = take_word(rest); !name.empty()) facts.name = clean_text(name, 64);
  }
  if (const auto text = read_text(root + "/loadavg")) {
    std::string_view rest{*text};
    facts.load = take_number<double>(rest);
  }
  if (const auto text = read_text(root + "/uptime")) {
    std::string_view rest{*text};
    facts.uptime_s = static_cast<std::uint64_t>(take_number<double>(rest));
  }
  return facts;
}

}  // namespace telemetry
