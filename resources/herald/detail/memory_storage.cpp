#include "memory_storage.hpp"

#include <herald/payload.hpp>

#include <algorithm>
#include <cassert>
#include <limits>
#include <random>

namespace herald::detail {

namespace {

std::uint64_t new_epoch(std::uint64_t seed) {
  // A seeded store is a simulation's, and its offsets must be the same in every run.
  if (seed != 0) return seed | 1;
  std::random_device device;
  return ((std::uint64_t{device()} << 32) | device()) | 1;
}

bool goes_to(const event_record& event, std::string_view topic) {
  return std::any_of(event.routes.begin(), event.routes.end(), [&](const auto& route) { return route.topic == topic; });
}

}  // namespace

result<std::shared_ptr<storage>> memory_storage::open(std::vector<const resource_table*> tables,
                                                      const memory_options& options) {
  if (auto fit = check_tables(tables); !fit) return fit.error();
  return std::shared_ptr<storage>{std::make_shared<memory_storage>(std::move(tables), options)};
}

memory_storage::memory_storage(std::vector<const resource_table*> tables, const memory_options& options)
    : index_{std::move(tables)},
      rows_{index_},
      clock_{options},
      keep_events_{options.keep_events},
      retention_{options.retention},
      epoch_{new_epoch(options.uuid_seed)},
      inside_{*this},
      writing_{mutex_, std::defer_lock} {}

namespace {

/// What a batch keeps is new memory, and glibc lets a thread's arena grow by one page at a time, with a system call for each: a
/// third of an action's time. Asked for more than that at once it grows at once, and what is given back here stays at hand.
void make_room() {
  constexpr std::size_t room = 56 * 1024;  // below what glibc maps separately, or gives back to the system
  ::operator delete(::operator new(room));
}

}  // namespace

result<void> memory_storage::begin() {
  make_room();
  writing_.lock();
  writer_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  written_.clear();
  written_cursors_.clear();
  savepoints_.clear();
  clock_.begin();
  return {};
}

result<void> memory_storage::commit() {
  keep_events();
  rows_.keep();
  for (auto& [name, cursor] : written_cursors_) {
    if (cursor) {
      cursors_.insert_or_assign(std::move(name), *cursor);
    } else {
      cursors_.erase(name);
    }
  }
  written_cursors_.clear();
  head_.fetch_add(written_.size(), std::memory_order_release);
  if (keep_events_ != 0 && log_.size() > keep_events_) drop_events(log_.size() - keep_events_);
  writer_.store({}, std::memory_order_relaxed);
  writing_.unlock();
  return {};
}

void memory_storage::rollback() noexcept {
  if (!writing_.owns_lock()) return;
  rows_.undo_to(0);
  written_.clear();
  written_cursors_.clear();
  writer_.store({}, std::memory_order_relaxed);
  writing_.unlock();
}

std::uint64_t memory_storage::weight_of(const event_record& event) const {
  if (retention_.bytes == 0 && retention_.hard_bytes == 0) return 0;
  std::string encoded;
  encode_payload(event, encoded);
  return encoded.size() + 64;
}

void memory_storage::keep_events() {
  const auto& compact = retention_.compact;
  for (const auto& event : written_) {
    log_.push_back(event);
    bytes_ += weight_of(*event);
    if (std::find(compact.begin(), compact.end(), event->resource) == compact.end()) continue;
    auto& newest = newest_of_key_[event->resource][event->key];
    if (newest != 0) superseded_.emplace_back(newest, event->at.sequence);
    newest = event->at.sequence;
    if (event->kind == event_kind::destroyed) newest_of_key_[event->resource].erase(event->key);
  }
}

result<std::size_t> memory_storage::compact(std::uint64_t newest, std::size_t limit) {
  const std::unique_lock lock{mutex_};
  const auto first = floor_.load(std::memory_order_relaxed);
  std::size_t count = 0;
  while (!superseded_.empty() && superseded_.front().second <= newest && count < limit) {
    const auto sequence = superseded_.front().first;
    superseded_.pop_front();
    if (sequence < first) continue;
    auto& event = log_[static_cast<std::size_t>(sequence - first)];
    bytes_ -= weight_of(*event);
    event = nullptr;
    compacted_.store(std::max(compacted_.load(std::memory_order_relaxed), sequence), std::memory_order_release);
    ++count;
  }
  return count;
}

result<std::optional<timestamp>> memory_storage::time_of(std::uint64_t sequence) {
  const auto first = floor();
  for (auto at = sequence < first ? 0 : sequence - first; at < log_.size(); ++at) {
    if (log_[at]) return std::optional{log_[at]->time};
  }
  return std::optional<timestamp>{};
}

void memory_storage::drop_events(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (log_[i]) bytes_ -= weight_of(*log_[i]);
  }
  log_.erase(log_.begin(), log_.begin() + static_cast<std::ptrdiff_t>(count));
  floor_.fetch_add(count, std::memory_order_release);
}

result<std::size_t> memory_storage::trim(std::uint64_t sequence, std::size_t limit) {
  const std::unique_lock lock{mutex_};
  const auto first = floor_.load(std::memory_order_relaxed);
  if (sequence < first) return std::size_t{0};
  const auto count = std::min({static_cast<std::size_t>(sequence - first + 1), log_.size(), limit});
  drop_events(count);
  return count;
}

result<record> memory_storage::find(const resource_table& resource, const row_key& key) {
  const auto table = index_.of(resource);
  if (table == table_index::npos) return unknown_resource(name(), resource);
  if (is_writer()) return reading_inside(name());
  const std::shared_lock lock{mutex_};
  return rows_.find(table, key);
}

result<offset> memory_storage::scan(const resource_table& resource, const std::function<void(const record&)>& each) {
  const auto table = index_.of(resource);
  if (table == table_index::npos) return unknown_resource(name(), resource);
  if (is_writer()) return reading_inside(name());
  const std::shared_lock lock{mutex_};
  rows_.each(table, each);
  return head();
}

result<offset> memory_storage::select(const query& of, const std::function<void(const record&)>& each) {
  const auto table = index_.of(*of.resource);
  if (table == table_index::npos) return unknown_resource(name(), *of.resource);
  if (is_writer()) return reading_inside(name());
  const std::shared_lock lock{mutex_};
  rows_.select(table, of, each);
  return head();
}

result<std::uint64_t> memory_storage::count(const query& of) {
  const auto table = index_.of(*of.resource);
  if (table == table_index::npos) return unknown_resource(name(), *of.resource);
  if (is_writer()) return reading_inside(name());
  const std::shared_lock lock{mutex_};
  return rows_.count(table, of);
}

result<log_page> memory_storage::read(const offset& after, std::size_t limit,
                                      const std::optional<std::string_view>& topic) {
  if (is_writer()) return reading_inside(name());
  const std::shared_lock lock{mutex_};
  const auto now = head();
  const auto first = floor();
  if (after.epoch != now.epoch || after.sequence + 1 < first || after.sequence > now.sequence) {
    return offset_gone(name(), after, now, first);
  }
  log_page page{{}, after, now};
  auto at = log_.begin() + static_cast<std::ptrdiff_t>(after.sequence + 1 - first);
  for (; at != log_.end() && page.events.size() < limit; ++at) {
    page.last.sequence = first + static_cast<std::uint64_t>(at - log_.begin());
    if (*at && (!topic || goes_to(**at, *topic))) page.events.push_back(*at);
  }
  return page;
}

result<std::vector<named_cursor>> memory_storage::cursors() {
  if (is_writer()) return reading_inside(name());
  const std::shared_lock lock{mutex_};
  std::vector<named_cursor> all;
  for (const auto& [name, cursor] : cursors_) all.push_back({name, cursor});
  return all;
}

result<record> memory_storage::inside::find(const resource_table& resource, const row_key& key) {
  const auto table = owner_.index_.of(resource);
  if (table == table_index::npos) return unknown_resource(owner_.name(), resource);
  return owner_.rows_.find(table, key);
}

result<record> memory_storage::inside::find_by(const resource_table& resource, std::size_t identity, const record& like) {
  const auto table = owner_.index_.of(resource);
  if (table == table_index::npos) return unknown_resource(owner_.name(), resource);
  return owner_.rows_.find_by(table, identity, like);
}

result<void> memory_storage::inside::select(const query& of, const std::function<void(const record&)>& each) {
  const auto table = owner_.index_.of(*of.resource);
  if (table == table_index::npos) return unknown_resource(owner_.name(), *of.resource);
  owner_.rows_.select(table, of, each);
  return {};
}

result<void> memory_storage::inside::insert(const record& row) {
  const auto table = owner_.index_.of(row.table());
  if (table == table_index::npos) return unknown_resource(owner_.name(), row.table());
  return owner_.rows_.insert(table, row);
}

result<void> memory_storage::inside::update(const record& before, const record& after, attribute_mask) {
  const auto table = owner_.index_.of(before.table());
  if (table == table_index::npos) return unknown_resource(owner_.name(), before.table());
  return owner_.rows_.update(table, before, after);
}

result<void> memory_storage::inside::erase(const record& row) {
  const auto table = owner_.index_.of(row.table());
  if (table == table_index::npos) return unknown_resource(owner_.name(), row.table());
  owner_.rows_.erase(table, row);
  return {};
}

result<void> memory_storage::inside::append(std::shared_ptr<event_record> event) {
  if (owner_.index_.of(*event->resource) == table_index::npos) return unknown_resource(owner_.name(), *event->resource);
  event->at = {owner_.epoch_, owner_.head_.load(std::memory_order_relaxed) + owner_.written_.size() + 1};
  owner_.written_.push_back(std::move(event));
  return {};
}

result<std::optional<consumer_cursor>> memory_storage::inside::cursor(std::string_view consumer) {
  const auto& written = owner_.written_cursors_;
  for (auto at = written.rbegin(); at != written.rend(); ++at) {
    if (at->first == consumer) return at->second;
  }
  const auto found = owner_.cursors_.find(consumer);
  if (found == owner_.cursors_.end()) return std::optional<consumer_cursor>{};
  return std::optional{found->second};
}

result<void> memory_storage::inside::keep_cursor(std::string_view consumer, const consumer_cursor& what) {
  owner_.written_cursors_.emplace_back(consumer, what);
  return {};
}

result<void> memory_storage::inside::drop_cursor(std::string_view consumer) {
  owner_.written_cursors_.emplace_back(consumer, std::nullopt);
  return {};
}

result<void> memory_storage::inside::savepoint() {
  owner_.savepoints_.push_back({owner_.rows_.mark(), owner_.written_.size(), owner_.written_cursors_.size()});
  return {};
}

result<void> memory_storage::inside::release() {
  assert(!owner_.savepoints_.empty());
  owner_.savepoints_.pop_back();
  return {};
}

result<void> memory_storage::inside::rollback_to() {
  assert(!owner_.savepoints_.empty());
  const auto back = owner_.savepoints_.back();
  owner_.savepoints_.pop_back();
  owner_.rows_.undo_to(back.rows);
  owner_.written_.resize(back.events);
  owner_.written_cursors_.resize(back.cursors);
  return {};
}

result<std::int64_t> memory_storage::inside::next_integer(const resource_table& resource) {
  const auto table = owner_.index_.of(resource);
  if (table == table_index::npos) return unknown_resource(owner_.name(), resource);
  if (owner_.rows_.last_integer(table) == std::numeric_limits<std::int64_t>::max()) return no_key_left(resource);
  return owner_.rows_.next_integer(table);
}

}  // namespace herald::detail
