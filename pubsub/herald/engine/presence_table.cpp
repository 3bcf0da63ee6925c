#include <herald/engine/presence_table.hpp>

#include <algorithm>
#include <tuple>
#include <utility>

#include <herald/engine/fan_out.hpp>
#include <herald/engine/host.hpp>
#include <herald/engine/topic_record.hpp>

namespace herald::engine {

namespace {

std::string row_name(std::string_view topic, std::string_view key) {
  std::string made;
  made.reserve(topic.size() + 1 + key.size());
  made.append(topic).push_back('\x1f');
  return made.append(key);
}

}  // namespace

presence_table::presence_table(core& system, std::string name, const presence_kind& kind)
    : name_{std::move(name)}, kind_{&kind}, tracker_{system.dice().next()} {}
presence_table::~presence_table() = default;

// --- open and closed --------------------------------------------------------------------------------------------------

void presence_table::open(const presence_options& options, herald::bus where) {
  {
    const std::lock_guard lock{bus_mutex_};
    bus_ = std::move(where);
  }
  announces_.store(options.announce, std::memory_order_relaxed);
  most_.store(options.max_presences, std::memory_order_relaxed);
  open_.store(true, std::memory_order_release);
}

void presence_table::close() noexcept {
  open_.store(false, std::memory_order_release);
  for (auto& s : shards_) {
    std::vector<presence_ptr> gone;
    decltype(s.lines) lines;
    const std::lock_guard lock{s.mutex};  // who comes later finds it closed
    lines.swap(s.lines);
    for (auto& [topic, line] : lines) {
      std::vector<presence_ptr> leaves;
      for (auto& [key, rows] : line->keys)
        for (auto* r = rows.first; r != nullptr; r = r->later) {
          leaves.push_back(r->entry);
          gone.push_back(r->entry);
          r->line = nullptr;
        }
      total_.fetch_sub(line->size, std::memory_order_relaxed);
      announce(s, topic, *line, {}, std::move(leaves));
    }
  }
}

result<herald::bus> presence_table::where() const {
  if (auto why = unusable()) return *std::move(why);
  const std::lock_guard lock{bus_mutex_};
  return *bus_;
}

error presence_table::absent() const {
  return {pubsub_errc::no_presence, "the presence \"" + name_ + "\" does not run; wanted: herald::presence_tracker(\"" + name_ +
                                        "\") in the tree, before those who use it"};
}

std::optional<error> presence_table::unusable() const {
  if (shut_.load(std::memory_order_acquire))
    return error{pubsub_errc::closed, "the presence \"" + name_ + "\" has ended: the application is stopped"};
  if (!is_open()) return absent();
  return std::nullopt;
}

// --- owners -----------------------------------------------------------------------------------------------------------

presence_owner* presence_table::owner_of(const cell& c) {
  auto& s = owners_at(c);
  const std::lock_guard lock{s.mutex};
  const auto found = s.owners.find(&c);
  return found != s.owners.end() ? found->second : nullptr;
}

presence_owner& presence_table::make_owner(owners::list& owned, cell& c) {
  if (auto* found = owner_of(c)) return *found;
  auto made = std::make_unique<presence_owner>(shared_from_this());
  auto& s = owners_at(c);
  const std::lock_guard lock{s.mutex};
  s.owners.emplace(&c, made.get());
  owned.add(*made);
  return *made.release();
}

void presence_table::owner_ended(presence_owner& owner) noexcept {
  {
    auto& s = owners_at(*owner.owner);
    const std::lock_guard lock{s.mutex};
    s.owners.erase(owner.owner);
  }
  std::vector<presence_ptr> gone;
  static_cast<void>(leave_all(owner, gone));
}

std::size_t presence_table::leave_all(presence_owner& owner, std::vector<presence_ptr>& gone) {
  std::vector<presence_row*> rows;
  for (auto& [name, row] : owner.rows) rows.push_back(&row);
  std::sort(rows.begin(), rows.end(), [](const auto* left, const auto* right) {
    return std::tie(left->topic, left->entry->ref) < std::tie(right->topic, right->entry->ref);
  });
  std::size_t count = 0;
  for (auto from = rows.begin(); from != rows.end();) {
    const auto to = std::find_if(from, rows.end(), [&](const auto* r) { return r->topic != (*from)->topic; });
    count += leave((*from)->topic, {from, to}, gone);
    from = to;
  }
  for (auto* r : rows) gone.push_back(std::move(r->entry));
  return count;
}

// --- changes ----------------------------------------------------------------------------------------------------------

void presence_table::unlink(presence_row& row) noexcept {
  auto& rows = row.key->second;
  (row.earlier != nullptr ? row.earlier->later : rows.first) = row.later;
  (row.later != nullptr ? row.later->earlier : rows.last) = row.earlier;
  row.earlier = row.later = nullptr;
  if (--rows.size == 0) row.line->keys.erase(row.key);
  --row.line->size;
  row.line = nullptr;
}

void presence_table::announce(shard& s, std::string_view topic, presence_line& line, std::vector<presence_ptr> joins,
                              std::vector<presence_ptr> leaves) {
  const auto after = std::exchange(line.version, ++s.version);
  auto& record = line.told_on.inside();
  if (!announces_.load(std::memory_order_relaxed) || !wanted(record)) return;
  const runtime_entry entry;
  // Behind what other threads have pushed before: one order for all.
  if (auto* f = entry.owned()) f->home->take_mail();
  engine::publish(record, kind_->diff(std::string{topic}, std::move(joins), std::move(leaves), line.version, after), {}, true, false);
}

std::size_t presence_table::leave(std::string_view topic, const std::vector<presence_row*>& rows, std::vector<presence_ptr>& gone) {
  auto& s = shard_of(topic);
  const std::lock_guard lock{s.mutex};
  std::vector<presence_ptr> leaves;
  presence_line* line = nullptr;
  for (auto* r : rows) {
    if (r->line == nullptr) continue;
    line = r->line;
    leaves.push_back(r->entry);
    gone.push_back(r->entry);
    unlink(*r);
  }
  if (line == nullptr) return 0;
  const auto count = leaves.size();
  total_.fetch_sub(count, std::memory_order_relaxed);
  announce(s, topic, *line, {}, std::move(leaves));
  if (line->size == 0) s.lines.erase(s.lines.find(topic));
  return count;
}

result<presence_ref> presence_table::track(owners::list& owned, cell& who, std::string_view topic,
                                           const std::shared_ptr<presence_base>& fresh) {
  fresh->who = any_ref{who.self()};
  fresh->ref = {tracker_, numbers_.fetch_add(1, std::memory_order_relaxed) + 1};
  auto& owner = make_owner(owned, who);
  auto& s = shard_of(topic);
  presence_ptr stale;  // of before the presence was closed; ends after the locks
  const std::lock_guard lock{s.mutex};
  auto at = s.lines.find(topic);
  std::optional<herald::topic> told_on;
  if (at == s.lines.end()) {
    const auto on = where();
    if (!on) return on.error();
    auto made = on->topic(name_ + ":" + std::string{topic});
    if (!made) return made.error();
    told_on = *std::move(made);
  }
  const auto [found, is_new] = owner.rows.try_emplace(row_name(topic, fresh->key));
  auto& row = found->second;
  if (!is_new && row.line != nullptr)
    return error{pubsub_errc::already_tracked, "the process is tracked in \"" + std::string{topic} + "\" of \"" + name_ +
                                                   "\" under \"" + fresh->key.substr(0, 64) + "\" already; wanted: update"};
  stale = std::move(row.entry);
  if (total_.fetch_add(1, std::memory_order_relaxed) >= most_.load(std::memory_order_relaxed)) {
    total_.fetch_sub(1, std::memory_order_relaxed);
    owner.rows.erase(found);
    return error{pubsub_errc::full, "the presence \"" + name_ + "\" has its max_presences of " +
                                        std::to_string(most_.load(std::memory_order_relaxed)) + "; nothing was tracked"};
  }
  if (told_on) at = s.lines.emplace(topic, std::make_unique<presence_line>(*std::move(told_on))).first;
  auto& line = *at->second;
  row.topic = topic;
  row.entry = fresh;
  row.line = &line;
  row.key = line.keys.try_emplace(fresh->key).first;
  auto& rows = row.key->second;
  row.earlier = rows.last;
  row.later = nullptr;
  (rows.last != nullptr ? rows.last->later : rows.first) = &row;
  rows.last = &row;
  ++rows.size;
  ++line.size;
  announce(s, topic, line, {fresh}, {});
  return fresh->ref;
}

presence_ptr presence_table::find(cell& who, std::string_view topic, std::string_view key) {
  auto* owner = owner_of(who);
  if (owner == nullptr) return {};
  const auto found = owner->rows.find(row_name(topic, key));
  if (found == owner->rows.end()) return {};
  const std::shared_lock lock{shard_of(topic).mutex};
  return found->second.line != nullptr ? found->second.entry : presence_ptr{};
}

result<presence_ref> presence_table::update(cell& who, std::string_view topic, const std::shared_ptr<presence_base>& fresh,
                                            presence_ptr& gone) {
  if (auto why = unusable()) return *std::move(why);
  auto* owner = owner_of(who);
  const auto found = owner != nullptr ? owner->rows.find(row_name(topic, fresh->key)) : decltype(owner->rows.end()){};
  if (owner != nullptr && found != owner->rows.end()) {
    auto& row = found->second;
    auto& s = shard_of(topic);
    const std::lock_guard lock{s.mutex};
    if (row.line != nullptr) {
      fresh->who = row.entry->who;
      fresh->previous = row.entry->ref;
      fresh->ref = {tracker_, numbers_.fetch_add(1, std::memory_order_relaxed) + 1};
      gone = std::exchange(row.entry, fresh);
      announce(s, topic, *row.line, {fresh}, {gone});
      return fresh->ref;
    }
  }
  return not_tracked(topic, fresh->key);
}

error presence_table::not_tracked(std::string_view topic, std::string_view key) const {
  if (auto why = unusable()) return *std::move(why);
  return {pubsub_errc::not_tracked, "the process is not tracked in \"" + std::string{topic} + "\" of \"" + name_ + "\" under \"" +
                                        std::string{key.substr(0, 64)} + "\"; wanted: track first"};
}

std::size_t presence_table::untrack(cell& who, const std::string_view* topic, std::string_view key,
                                    std::vector<presence_ptr>& gone) {
  auto* owner = owner_of(who);
  if (owner == nullptr) return 0;
  if (topic != nullptr) {
    const auto found = owner->rows.find(row_name(*topic, key));
    if (found == owner->rows.end()) return 0;
    const auto count = leave(*topic, {&found->second}, gone);
    gone.push_back(std::move(found->second.entry));
    owner->rows.erase(found);
    return count;
  }
  const auto count = leave_all(*owner, gone);
  owner->rows.clear();
  return count;
}

// --- reading ----------------------------------------------------------------------------------------------------------

namespace {

void collect(const presence_rows& rows, std::vector<presence_ptr>& into) {
  for (const auto* r = rows.first; r != nullptr; r = r->later) into.push_back(r->entry);
}

}  // namespace

presence_found presence_table::read(std::string_view topic, const std::string_view* key) const {
  presence_found out;
  const auto& s = shard_of(topic);
  const std::shared_lock lock{s.mutex};
  const auto at = s.lines.find(topic);
  if (at == s.lines.end()) {
    out.version = s.version;
    return out;
  }
  const auto& line = *at->second;
  out.version = line.version;
  if (key != nullptr) {
    if (const auto found = line.keys.find(*key); found != line.keys.end()) {
      out.entries.reserve(found->second.size);
      collect(found->second, out.entries);
    }
    return out;
  }
  out.entries.reserve(line.size);
  for (const auto& [name, rows] : line.keys) collect(rows, out.entries);
  return out;
}

std::size_t presence_table::count(std::string_view topic, const std::string_view* key) const {
  const auto& s = shard_of(topic);
  const std::shared_lock lock{s.mutex};
  const auto at = s.lines.find(topic);
  if (at == s.lines.end()) return 0;
  if (key == nullptr) return at->second->size;
  const auto found = at->second->keys.find(*key);
  return found != at->second->keys.end() ? found->second.size : 0;
}

}  // namespace herald::engine
