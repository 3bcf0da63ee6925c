#include "log_reader.hpp"

#include "storage.hpp"
#include "varint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace herald::detail {

namespace {

using sqlite::step_result;
constexpr auto doing = "read the log";

constexpr std::string_view columns = "e.sequence, e.time, e.resource, e.action, e.kind, e.tenant, e.routes, e.payload";

/// Ends the read transaction whichever way the page is left.
class end_of_read {
 public:
  explicit end_of_read(sqlite::statement& end) noexcept : end_{end} {}
  end_of_read(const end_of_read&) = delete;
  end_of_read& operator=(const end_of_read&) = delete;
  ~end_of_read() {
    static_cast<void>(end_.step());
    end_.reset();
  }

 private:
  sqlite::statement& end_;
};

}  // namespace

result<log_reader::names> log_reader::names::open(sqlite::connection& db, std::string_view table) {
  names made;
  auto find = db.prepare(fmt::format("SELECT text FROM {} WHERE id = ?1", table), doing);
  if (!find) return find.error();
  made.find_ = *std::move(find);
  return made;
}

std::string_view log_reader::names::text_of(std::int64_t id) {
  if (const auto known = known_.find(id); known != known_.end()) return known->second;
  sqlite::reset_at_end reset{find_};
  find_.bind(1, id);
  if (find_.step() != step_result::row) return {};
  return known_.emplace(id, std::string{find_.bytes(0)}).first->second;
}

void log_reader::names::make_room() {
  if (known_.size() > 100'000) known_.clear();
}

result<log_reader> log_reader::open(const std::string& file, std::chrono::milliseconds busy_limit) {
  log_reader made;
  auto db = sqlite::connection::open(file, sqlite::open_mode::read, busy_limit);
  if (!db) return db.error();
  made.db_ = std::make_unique<sqlite::connection>(*std::move(db));
  const auto known = log_tables::recognise(*made.db_);
  if (!known) return known.error();
  if (!*known) {
    return error{resource_errc::not_a_database,
                 fmt::format("store file '{}' is empty, and a store was wanted", file)};
  }
  for (auto [target, table] : {std::pair{&made.names_, "herald_name"}, std::pair{&made.topics_, "herald_topic"}}) {
    auto opened = names::open(*made.db_, table);
    if (!opened) return opened.error();
    *target = *std::move(opened);
  }
  const auto all = fmt::format("SELECT {} FROM herald_event e WHERE e.sequence > ?1 ORDER BY e.sequence LIMIT ?2", columns);
  const auto of_topic = fmt::format(
      "SELECT {} FROM herald_event_topic t CROSS JOIN herald_event e ON e.sequence = t.sequence "
      "WHERE t.topic = ?3 AND t.sequence > ?1 ORDER BY t.sequence LIMIT ?2",
      columns);
  const std::pair<sqlite::statement*, std::string_view> statements[] = {
      {&made.begin_, "BEGIN"},
      {&made.end_, "COMMIT"},
      {&made.all_, all},
      {&made.of_topic_, of_topic},
      {&made.find_topic_, "SELECT id FROM herald_topic WHERE text = ?1"},
      {&made.find_state_,
       "SELECT (SELECT value FROM herald_meta WHERE name = 'epoch'), (SELECT value FROM herald_meta WHERE name = 'floor'), "
       "(SELECT max(sequence) FROM herald_event)"},
  };
  for (const auto& [target, sql] : statements) {
    auto prepared = made.db_->prepare(sql, doing);
    if (!prepared) return prepared.error();
    *target = *std::move(prepared);
  }
  return made;
}

result<log_state> log_reader::state() {
  sqlite::reset_at_end reset{find_state_};
  if (find_state_.step() != step_result::row) return db_->failure(doing);
  log_state state;
  state.epoch = static_cast<std::uint64_t>(find_state_.integer(0));
  state.floor = static_cast<std::uint64_t>(find_state_.integer(1));
  state.head = std::max(static_cast<std::uint64_t>(find_state_.integer(2)), state.floor - 1);
  return state;
}

result<void> log_reader::check(const offset& after, const log_state& now) const {
  if (after.epoch == now.epoch && after.sequence + 1 >= now.floor && after.sequence <= now.head) return {};
  return offset_gone(fmt::format("store file '{}'", db_->file()), after, {now.epoch, now.head}, now.floor);
}

result<log_reader::page> log_reader::read(const offset& after, const std::optional<std::string_view>& topic,
                                          std::size_t limit, const entry_sink& each) {
  names_.make_room();
  topics_.make_room();
  sqlite::reset_at_end reset{begin_};
  if (begin_.step() != step_result::done) return db_->failure(doing);
  // The floor, the head and the events must be of one moment.
  end_of_read end{end_};
  return read_page(after, topic, limit, each);
}

result<log_reader::page> log_reader::read_page(const offset& after, const std::optional<std::string_view>& topic,
                                               std::size_t limit, const entry_sink& each) {
  const auto now = state();
  if (!now) return now.error();
  if (auto here = check(after, *now); !here) return here.error();
  page read{after.sequence, now->head, 0};
  auto& select = topic ? of_topic_ : all_;
  if (topic) {
    sqlite::reset_at_end reset{find_topic_};
    find_topic_.bind_text(1, *topic);
    const auto found = find_topic_.step();
    if (found == step_result::failed) return db_->failure(doing);
    if (found == step_result::done) {
      read.last = now->head;
      return read;
    }
    select.bind(3, find_topic_.integer(0));
  }
  sqlite::reset_at_end reset{select};
  select.bind(1, static_cast<std::int64_t>(after.sequence));
  select.bind(2, static_cast<std::int64_t>(limit));
  while (true) {
    const auto step = select.step();
    if (step == step_result::failed) return db_->failure(doing);
    if (step == step_result::done) break;
    const stored_entry entry{static_cast<std::uint64_t>(select.integer(0)), select.integer(1),
                             names_.text_of(select.integer(2)), names_.text_of(select.integer(3)),
                             static_cast<int>(select.integer(4)), select.bytes(5), select.bytes(7), &routes_};
    if (entry.resource.empty() || entry.action.empty() || !decode_routes(select.bytes(6))) {
      return error{resource_errc::corrupt, fmt::format("store file '{}': event {} has a name or topic that the file does "
                                                       "not have; restore the file from a copy",
                                                       db_->file(), entry.sequence)};
    }
    if (auto taken = each(entry); !taken) return taken.error();
    read.last = entry.sequence;
    ++read.count;
  }
  if (read.count < limit) read.last = now->head;
  return read;
}

bool log_reader::decode_routes(std::string_view blob) {
  routes_.clear();
  while (!blob.empty()) {
    const auto topic = take_varint(blob);
    const auto event = take_varint(blob);
    const auto publication = take_varint(blob);
    if (!topic || !event || !publication) return false;
    const auto name = names_.text_of(static_cast<std::int64_t>(*event));
    if (name.empty()) return false;
    routes_.push_back({topics_.text_of(static_cast<std::int64_t>(*topic)), name,
                       static_cast<std::uint16_t>(*publication)});
  }
  return true;
}

}  // namespace herald::detail
