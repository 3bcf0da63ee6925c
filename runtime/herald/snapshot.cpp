#include <herald/snapshot.hpp>

#include <algorithm>
#include <unordered_map>

#include <herald/application.hpp>
#include <herald/context.hpp>
#include <herald/engine/at_home.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/survey_desk.hpp>

namespace herald {

using namespace engine;

namespace {

/// After so much of the limit a host that has not answered is looked at from outside.
std::chrono::milliseconds patience(std::chrono::milliseconds limit) {
  return std::min(limit / 2, std::chrono::milliseconds{10});
}

/// In a handler the limits are timers of its own process.
struct desk_alarm final : attachment, timer {
  std::shared_ptr<survey_desk> desk;
  std::chrono::milliseconds rest{0};

  void fire(host& home) override {
    desk->look_from_outside();
    if (rest.count() > 0) {
      when += rest;
      rest = {};
      return home.arm(*this);
    }
    desk->answer();
    home.detach(*this);
    delete this;
  }
  void wipe(host& home) noexcept override {
    home.disarm(*this);
    delete this;
  }
};

/// Finds earlier values again: both snapshots list most processes in the same order.
class earlier_values {
 public:
  explicit earlier_values(const std::vector<std::pair<any_ref, std::uint64_t>>& values) : values_{values} {}
  [[nodiscard]] std::uint64_t of(const any_ref& who) {
    if (next_ < values_.size() && values_[next_].first == who) return values_[next_++].second;
    if (places_.empty())
      for (std::size_t i = 0; i < values_.size(); ++i) places_.emplace(values_[i].first, i);
    const auto found = places_.find(who);
    if (found == places_.end()) return 0;
    next_ = found->second + 1;
    return values_[found->second].second;
  }

 private:
  const std::vector<std::pair<any_ref, std::uint64_t>>& values_;
  std::size_t next_ = 0;
  std::unordered_map<any_ref, std::size_t> places_;
};

using handled_list = std::vector<std::pair<any_ref, std::uint64_t>>;
using host_list = std::vector<std::pair<std::uint32_t, std::uint64_t>>;

handled_list handled_of(const snapshot& s) {
  handled_list all;
  all.reserve(s.processes.size());
  for (const auto& row : s.processes) all.emplace_back(row.who, row.handled);
  return all;
}
host_list hosts_of(const snapshot& s) {
  host_list all;
  for (const auto& h : s.hosts) all.emplace_back(h.number, h.handled);
  return all;
}

void set_rates(snapshot& later, const handled_list& rows, const host_list& hosts, std::chrono::steady_clock::time_point taken) {
  const auto seconds = std::chrono::duration<double>(later.taken - taken).count();
  if (seconds <= 0) return;
  earlier_values before{rows};
  for (auto& row : later.processes) row.rate = static_cast<float>(static_cast<double>(row.handled - before.of(row.who)) / seconds);
  for (auto& h : later.hosts) {
    const auto found = std::find_if(hosts.begin(), hosts.end(), [&](const auto& e) { return e.first == h.number; });
    h.rate = static_cast<double>(h.handled - (found != hosts.end() ? found->second : 0)) / seconds;
  }
}

}  // namespace

std::string_view name_of(process_state state) noexcept {
  switch (state) {
    case process_state::starting: return "starting";
    case process_state::running: return "running";
    case process_state::busy: return "busy";
    case process_state::stuck: return "stuck";
    case process_state::suspended: return "suspended";
    case process_state::awaiting: return "awaiting";
    case process_state::stopping: return "stopping";
    case process_state::restarting: return "restarting";
    case process_state::stopped: return "stopped";
  }
  return "?";
}

bool snapshot::complete() const noexcept {
  return std::all_of(hosts.begin(), hosts.end(), [](const host_row& h) { return h.answered; });
}

std::string_view snapshot::id(const process_row& row) const noexcept {
  return std::string_view{text_}.substr(row.text_, row.id_size_);
}
std::string_view snapshot::label(const process_row& row) const noexcept {
  return std::string_view{text_}.substr(row.text_ + row.id_size_, row.label_size_);
}

std::string snapshot::path(const process_row& row) const {
  if (row.parent == process_row::no_parent) return {};  // the root
  const auto& parent = processes[row.parent];
  auto at = path(parent);
  if (!at.empty()) at.push_back('/');
  if (row.id_size_ != 0) return at.append(id(row));
  return at.append("#").append(std::to_string(&row - processes.data()));
}

const process_row* snapshot::find(std::string_view path) const noexcept {
  const auto is_at = [this](const process_row& row, std::string_view where, const auto& self) -> bool {
    if (row.parent == process_row::no_parent) return where.empty();
    const auto slash = where.rfind('/');
    const auto last = slash == std::string_view::npos ? where : where.substr(slash + 1);
    if (last.empty() || last != id(row)) return false;
    return self(processes[row.parent], slash == std::string_view::npos ? std::string_view{} : where.substr(0, slash), self);
  };
  for (const auto& row : processes)
    if ((row.parent != process_row::no_parent || row.supervisor) && is_at(row, path, is_at)) return &row;
  return nullptr;
}

const process_row* snapshot::find(const any_ref& who) const noexcept {
  const auto found = std::find_if(processes.begin(), processes.end(), [&](const process_row& row) { return row.who == who; });
  return found != processes.end() ? &*found : nullptr;
}

void set_rates(snapshot& later, const snapshot& earlier) {
  set_rates(later, handled_of(earlier), hosts_of(earlier), earlier.taken);
}

result<snapshot> snapshot_series::take(const application& app, std::chrono::milliseconds limit) {
  auto now = app.snapshot(limit);
  if (!now) return now;
  if (taken_ != std::chrono::steady_clock::time_point{}) set_rates(*now, handled_, hosts_, taken_);
  handled_ = handled_of(*now);
  hosts_ = hosts_of(*now);
  taken_ = now->taken;
  return now;
}

result<snapshot> application::snapshot(std::chrono::milliseconds limit) const {
  if (on_runner())
    return error{errc::would_block, "application::snapshot inside a handler; wanted: take_snapshot(self, limit, continuation)"};
  auto& system = inside();
  auto* w = new waiter_for<bool>;
  const waiter_guard guard{*w};
  const auto desk = std::make_shared<survey_desk>(system);
  desk->answer_to(*w);
  desk->begin(nullptr);
  const auto first = patience(limit);
  if (!engine::wait(system, *w, first)) {
    desk->look_from_outside();
    if (!engine::wait(system, *w, limit - first)) desk->look_from_outside();
  }
  return desk->close();
}

application_counters application::counters() const {
  application_counters sum;
  auto& system = inside();
  system.each_host([&](host& h) {
    const auto c = h.counted();
    sum.handled += c.handled;
    sum.sent += c.sent;
    sum.restarts += c.restarts;
    sum.crashes += c.crashes;
    sum.timers += c.timers;
    ++sum.hosts;
  });
  for (std::size_t i = 0; i < sum.dropped.size(); ++i)
    sum.dropped[i] = system.dead_letters().by_reason[i].load(std::memory_order_relaxed);
  sum.threads = system.runs().threads() + (system.options().simulation == nullptr ? 1 : 0);
  return sum;
}

void detail::take_snapshot(context& self, std::chrono::milliseconds limit, std::function<void(result<snapshot>)> then) {
  auto& c = self.cell();
  auto& system = c.home->system();
  auto desk = std::make_shared<survey_desk>(system);
  auto finish = [desk, then = std::move(then)](const result<bool>& over) {
    if (!over) return then(over.error());
    then(desk->close());
  };
  auto* pending = new call_continuation<bool, decltype(finish)>{std::move(finish)};
  // The desk answers at the limit; the call's own limit is only there to have an end in any case.
  if (!begin_call(c, self.incarnation(), pending, limit + std::chrono::seconds{1})) return;
  desk->answer_to(engine::reply_to{self.self().where(), self.incarnation(), pending->id, nullptr});
  const runtime_entry entry;
  const auto first = patience(limit);
  const auto arm = [desk, when = system.time().now() + first, rest = limit - first](engine::cell& mine) {
    auto* alarm = new desk_alarm;
    alarm->desk = desk;
    alarm->when = when;
    alarm->rest = rest;
    mine.home->attach(mine, *alarm);
    mine.home->arm(*alarm);
  };
  if (at_home(entry, c, self.incarnation(), arm)) desk->begin(entry.owned());
}

}  // namespace herald
