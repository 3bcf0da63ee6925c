#include "sqlite_readers.hpp"

#include "varint.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace herald::detail {

namespace {

using sqlite::step_result;
constexpr std::chrono::milliseconds longest_wait{5000};

/// Rows and head must be of one moment. Ends with the reading, whichever way that is left: a visitor may throw.
class reading {
 public:
  explicit reading(sqlite::connection& db) : db_{db}, begun_{db.execute("BEGIN", "read rows")} {}
  reading(const reading&) = delete;
  reading& operator=(const reading&) = delete;
  ~reading() {
    if (db_.in_transaction()) static_cast<void>(db_.execute("ROLLBACK", "end reading rows"));
  }
  [[nodiscard]] const result<void>& begun() const noexcept { return begun_; }
  [[nodiscard]] result<void> end() { return db_.execute("COMMIT", "end reading rows"); }

 private:
  sqlite::connection& db_;
  result<void> begun_;
};

/// The publication a route was written for: where the hint says if the name is still there, else by its name.
std::uint16_t publication_of(const event_record& event, const log_route& route) {
  const auto publications = event.resource->publications;
  const auto has_name = [&](std::size_t at) {
    const event_record::route on{{}, static_cast<std::uint16_t>(at)};
    return event.name_on(on) == route.event;
  };
  if (route.publication < publications.size() && has_name(route.publication)) return route.publication;
  for (std::size_t i = 0; i < publications.size(); ++i) {
    if (has_name(i)) return static_cast<std::uint16_t>(i);
  }
  return event_record::unknown_publication;
}

/// Order does not matter, and a missing, doubled or foreign entry does.
std::uint64_t mix(std::uint64_t topic, std::uint64_t sequence) noexcept {
  std::uint64_t x = topic * 0x9e3779b97f4a7c15U ^ (sequence + 0x7f4a7c15U) * 0xbf58476d1ce4e5b9U;
  x ^= x >> 31;
  x *= 0x94d049bb133111ebU;
  return x ^ (x >> 29);
}

}  // namespace

result<std::unique_ptr<sqlite_reader>> sqlite_reader::open(const std::string& file, std::chrono::milliseconds busy_limit,
                                                           const table_index& index,
                                                           std::shared_ptr<const layout_book> layouts) {
  auto made = std::make_unique<sqlite_reader>();
  made->index_ = &index;
  made->layouts_ = std::move(layouts);
  auto log = log_reader::open(file, busy_limit);
  if (!log) return log.error();
  made->log_ = *std::move(log);
  for (const auto* table : index.all()) {
    auto opened = table_reader::open(made->log_.connection(), *table);
    if (!opened) return opened.error();
    made->tables_.push_back(*std::move(opened));
  }
  return made;
}

result<record> sqlite_reader::find(std::size_t table, const row_key& key) {
  return tables_[table].find(log_.connection(), key);
}

result<offset> sqlite_reader::scan(std::size_t table, const std::function<void(const record&)>& each) {
  auto& db = log_.connection();
  reading now{db};
  if (!now.begun()) return now.begun().error();
  const auto state = log_.state();
  if (!state) return state.error();
  if (auto scanned = tables_[table].scan(db, each); !scanned) return scanned.error();
  if (auto ended = now.end(); !ended) return ended.error();
  return offset{state->epoch, state->head};
}

result<offset> sqlite_reader::select(std::size_t table, const query& of, const std::function<void(const record&)>& each) {
  auto& db = log_.connection();
  reading now{db};
  if (!now.begun()) return now.begun().error();
  const auto state = log_.state();
  if (!state) return state.error();
  if (auto selected = tables_[table].select(db, of, each); !selected) return selected.error();
  if (auto ended = now.end(); !ended) return ended.error();
  return offset{state->epoch, state->head};
}

result<std::uint64_t> sqlite_reader::count(std::size_t table, const query& of) {
  return tables_[table].count(log_.connection(), of);
}

result<event_ptr> sqlite_reader::event_of(const stored_entry& entry, std::uint64_t epoch) const {
  const auto* resource = index_->by_name(entry.resource);
  if (resource == nullptr) return event_ptr{};
  auto made = std::make_shared<event_record>();
  made->at = {epoch, entry.sequence};
  made->resource = resource;
  made->action = static_cast<std::uint16_t>(std::min<std::size_t>(resource->find_action(entry.action), 0xffff));
  made->kind = static_cast<event_kind>(entry.kind);
  made->time = timestamp{std::chrono::microseconds{entry.time}};
  made->tenant = entry.tenant;
  if (auto decoded = layouts_->decode(entry.payload, *made); !decoded) return decoded.error();
  made->routes.reserve(entry.routes->size());
  for (const auto& route : *entry.routes) {
    if (route.publication >= event_record::own_route && route.publication != event_record::unknown_publication) {
      const auto own = static_cast<std::uint16_t>(event_record::own_route + made->own_names.size());
      made->own_names.emplace_back(route.event);
      made->routes.push_back({std::string{route.topic}, own});
      continue;
    }
    made->routes.push_back({std::string{route.topic}, publication_of(*made, route)});
  }
  return event_ptr{std::move(made)};
}

result<log_page> sqlite_reader::read(const offset& after, std::size_t limit,
                                     const std::optional<std::string_view>& topic) {
  log_page page;
  page.events.reserve(std::min<std::size_t>(limit, 1024));
  const auto read = log_.read(after, topic, limit, [&](const stored_entry& entry) -> result<void> {
    auto event = event_of(entry, after.epoch);
    if (!event) return event.error();
    // Of a resource that this program does not describe: nobody here could read it.
    if (*event) page.events.push_back(*std::move(event));
    return {};
  });
  if (!read) return read.error();
  page.last = {after.epoch, read->last};
  page.head = {after.epoch, read->head};
  return page;
}

result<std::vector<std::string>> sqlite_reader::check() {
  auto& db = log_.connection();
  std::vector<std::string> faults;
  {
    auto ask = db.prepare("PRAGMA integrity_check(20)", "check it");
    if (!ask) return ask.error();
    auto step = ask->step();
    for (; step == step_result::row; step = ask->step()) {
      if (ask->bytes(0) != "ok") faults.push_back(fmt::format("SQLite's integrity check: {}", ask->bytes(0)));
    }
    if (step == step_result::failed) return db.failure("check it");
  }
  std::uint64_t by_events = 0, by_index = 0;
  {
    auto ask = db.prepare("SELECT sequence, routes FROM herald_event", "check the topics");
    if (!ask) return ask.error();
    std::vector<std::uint64_t> topics;
    while (ask->step() == step_result::row) {
      auto routes = ask->bytes(1);
      topics.clear();
      while (!routes.empty()) {
        const auto topic = take_varint(routes);
        if (!topic || !take_varint(routes) || !take_varint(routes)) {
          faults.push_back(fmt::format("event {} has routes that cannot be read", ask->integer(0)));
          break;
        }
        topics.push_back(*topic);
      }
      std::sort(topics.begin(), topics.end());
      topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
      for (const auto topic : topics) by_events += mix(topic, static_cast<std::uint64_t>(ask->integer(0)));
    }
  }
  {
    auto ask = db.prepare("SELECT topic, sequence FROM herald_event_topic", "check the topics");
    if (!ask) return ask.error();
    while (ask->step() == step_result::row) {
      by_index += mix(static_cast<std::uint64_t>(ask->integer(0)), static_cast<std::uint64_t>(ask->integer(1)));
    }
  }
  if (by_events != by_index) faults.emplace_back("the index of topics and the routes of the events differ");
  return faults;
}

result<reader_pool::loan> reader_pool::take() {
  const auto self = std::this_thread::get_id();
  std::unique_lock lock{mutex_};
  const bool nested = std::find(lent_to_.begin(), lent_to_.end(), self) != lent_to_.end();
  if (!nested && !returned_.wait_for(lock, longest_wait, [&] { return !free_.empty() || lent_to_.size() < limit_; })) {
    return error{resource_errc::unavailable,
                 fmt::format("store file '{}': all {} connections for reading were in use for {} ms; read less at once, or raise "
                             "sqlite_options::readers",
                             file_, limit_, longest_wait.count())};
  }
  lent_to_.push_back(self);
  if (!free_.empty()) {
    auto reader = std::move(free_.back());
    free_.pop_back();
    return loan{*this, std::move(reader)};
  }
  lock.unlock();
  auto made = sqlite_reader::open(file_, busy_limit_, index_, layouts_);
  if (made) return loan{*this, *std::move(made)};
  lock.lock();
  lent_to_.erase(std::find(lent_to_.begin(), lent_to_.end(), self));
  returned_.notify_one();
  return made.error();
}

void reader_pool::give_back(std::unique_ptr<sqlite_reader> reader) noexcept {
  {
    const std::lock_guard lock{mutex_};
    lent_to_.erase(std::find(lent_to_.begin(), lent_to_.end(), std::this_thread::get_id()));
    if (lent_to_.size() + free_.size() < limit_) free_.push_back(std::move(reader));
  }
  returned_.notify_one();
}

}  // namespace herald::detail
