#include <herald/engine/stop_table.hpp>

#include <herald/context.hpp>
#include <herald/engine/at_home.hpp>
#include <herald/engine/core.hpp>

namespace herald::engine {

std::stop_token stop_table::token(const cell* who, std::uint32_t incarnation, bool& fresh) {
  const std::lock_guard lock{mutex_};
  auto found = entries_.find(who);
  fresh = found == entries_.end();
  if (fresh) {
    found = entries_.emplace(who, entry{incarnation, std::stop_source{}}).first;
    used_.store(entries_.size(), std::memory_order_relaxed);
  } else if (found->second.incarnation != incarnation) {
    std::stop_source over;
    over.request_stop();
    return over.get_token();
  }
  return found->second.stop.get_token();
}

std::optional<std::stop_token> stop_table::find(const cell* who, std::uint32_t incarnation) const {
  const std::lock_guard lock{mutex_};
  const auto found = entries_.find(who);
  if (found == entries_.end() || found->second.incarnation != incarnation) return std::nullopt;
  return found->second.stop.get_token();
}

void stop_table::request_found(const cell* who) noexcept {
  std::stop_source stop{std::nostopstate};
  {
    const std::lock_guard lock{mutex_};
    const auto found = entries_.find(who);
    if (found == entries_.end()) return;
    stop = found->second.stop;
  }
  stop.request_stop();
}

void stop_table::end(const cell* who, std::uint32_t incarnation) noexcept {
  std::stop_source stop{std::nostopstate};
  {
    const std::lock_guard lock{mutex_};
    const auto found = entries_.find(who);
    if (found == entries_.end() || found->second.incarnation != incarnation) return;
    stop = std::move(found->second.stop);
    entries_.erase(found);
    used_.store(entries_.size(), std::memory_order_relaxed);
  }
  stop.request_stop();
}

namespace {

/// Ends a token with its incarnation, also when it never got as far as the cell's list.
struct stop_record final : attachment {
  stop_record(stop_table& t, const cell* c, std::uint32_t life) : table{t}, who{c}, incarnation{life} {}
  ~stop_record() override { table.end(who, incarnation); }
  void wipe(host&) noexcept override { delete this; }
  stop_table& table;
  const cell* who;
  std::uint32_t incarnation;
};

}  // namespace

}  // namespace herald::engine

namespace herald {

std::stop_token context::stop_token() const {
  using namespace engine;
  auto& stops = cell_->home->system().stops();
  const runtime_entry entry;
  const auto* by = entry.any();
  if (by == nullptr || by->current != cell_) return stops.find(cell_, incarnation_).value_or(std::stop_token{});
  if (entry.fenced()) {
    std::stop_source over;
    over.request_stop();
    return over.get_token();
  }
  bool fresh = false;
  auto token = stops.token(cell_, incarnation_, fresh);
  if (!fresh) return token;
  auto record = std::make_unique<stop_record>(stops, cell_, incarnation_);
  at_home(entry, *cell_, incarnation_, [record = std::move(record)](engine::cell& c) mutable {
    auto& kept = *record.release();
    c.home->attach(c, kept);
    if ((c.busy & busy_ending) != 0) kept.table.request(&c);
  });
  return token;
}

}  // namespace herald
