#include "verify.hpp"

#include "detail/relations.hpp"
#include "detail/sqlite.hpp"
#include "detail/store_core.hpp"
#include "payload.hpp"

#include <fmt/format.h>

#include <map>
#include <unordered_map>

namespace herald {

namespace {

constexpr std::size_t max_faults_listed = 100;
constexpr std::size_t page_size = 4096;

/// Collects, for every record, the newest thing that the log says about it, and holds the rows against it.
class log_image {
 public:
  explicit log_image(verification& report) : report_{report} {}

  void fault(std::string what) {
    ++report_.fault_count;
    if (report_.faults.size() < max_faults_listed) report_.faults.push_back(std::move(what));
  }

  void take(const event_ptr& event) {
    ++report_.events;
    auto& newest = newest_[event->resource];
    if (event->kind == event_kind::created && newest.contains(event->key) &&
        newest[event->key]->kind != event_kind::destroyed) {
      fault(fmt::format("event {} creates {} '{}', which event {} left in being", event->at.sequence,
                        event->resource->name, event->key.to_string(), newest[event->key]->at.sequence));
    }
    newest.insert_or_assign(event->key, event);
  }

  void hold(const record& row) {
    ++report_.rows;
    auto& newest = newest_[&row.table()];
    const auto key = row_key::of(row);
    const auto found = newest.find(key);
    if (found == newest.end()) {
      if (report_.floor > 1) {
        ++report_.unexplained;
      } else {
        fault(fmt::format("row {} '{}' has no event", row.table().name, key.to_string()));
      }
      return;
    }
    const auto& event = *found->second;
    const bool may_stay = event.action_info().soft || &event.action_info() == &unknown_action;
    if (event.kind == event_kind::destroyed && !(event.after && may_stay)) {
      fault(fmt::format("row {} '{}' is there, and event {} destroyed it", row.table().name, key.to_string(),
                        event.at.sequence));
    } else {
      compare(row, key, event);
    }
    newest.erase(found);
  }

  /// What is left has events and no row, which only a destroyed record may.
  void finish() {
    for (const auto& [table, newest] : newest_) {
      for (const auto& [key, event] : newest) {
        if (event->kind == event_kind::destroyed) continue;
        fault(fmt::format("row {} '{}' is not there, and event {} ({}) left it in being", table->name, key.to_string(),
                          event->at.sequence, to_string(event->kind)));
      }
    }
  }

 private:
  static std::string shown_bytes(const value_view& of) {
    std::string bytes;
    encode_value(of, bytes, secrets::left_out);
    return bytes;
  }
  void compare(const record& row, const row_key& key, const event_record& event) {
    const auto& table = row.table();
    for (std::size_t i = 0; i < table.attributes.size(); ++i) {
      // What was added since the event is not in it. Sensitive attributes never enter one, nor do sensitive fields inside others.
      if ((event.told & detail::bit(i)) == 0) continue;
      if (table.attributes[i].sensitive || row.get(i) == event.after.get(i)) continue;
      if ((table.secrets_inside & detail::bit(i)) != 0 && shown_bytes(row.get(i)) == shown_bytes(event.after.get(i))) continue;
      fault(fmt::format("row {} '{}' has {} = {}, and its newest event {} says {}", table.name, key.to_string(),
                        table.attributes[i].name, row.get(i).describe(), event.at.sequence, event.after.get(i).describe()));
    }
  }

  verification& report_;
  std::map<const resource_table*, std::unordered_map<row_key, event_ptr>> newest_;
};

/// What a row belongs to.
struct reference {
  row_key from;
  std::string_view by;
  const resource_table* to;
  row_key key;
};

void note_references(const record& row, std::vector<reference>& into) {
  for (const auto& attribute : row.table().attributes) {
    const resource_table* const to = detail::referenced_by(row.table(), attribute);
    if (to == nullptr) continue;
    const value_view key = attribute.get(row.row());
    if (!key.is_null()) into.push_back({row_key::of(row), attribute.name, to, row_key{value{key}}});
  }
}

}  // namespace

result<verification> detail::verify(storage& data) {
  verification report;
  report.floor = data.floor();
  report.head = data.head().sequence;
  log_image image{report};
  auto itself = data.check_itself();
  if (!itself) return itself.error();
  for (auto& fault : *itself) image.fault(std::move(fault));

  offset at{data.head().epoch, report.floor - 1};
  std::uint64_t last_seen = at.sequence;
  while (at.sequence < report.head) {
    auto page = data.read(at, page_size, std::nullopt);
    if (!page) return page.error();
    for (const auto& event : page->events) {
      if (event->at.sequence != last_seen + 1 && event->at.sequence - 1 > data.compacted()) {
        image.fault(fmt::format("after event {} comes event {}", last_seen, event->at.sequence));
      }
      last_seen = event->at.sequence;
      image.take(event);
    }
    at = page->last;
  }
  for (const auto* table : data.tables()) {
    std::vector<reference> references;
    const auto scanned = data.scan(*table, [&](const record& row) {
      image.hold(row);
      note_references(row, references);
    });
    if (!scanned) return scanned.error();
    for (const reference& one : references) {
      const auto found = data.find(*one.to, one.key);
      if (!found) return found.error();
      if (!*found)
        image.fault(fmt::format("row {} '{}' belongs to {} '{}' by {}, and that is not there", table->name, one.from.to_string(),
                                one.to->name, one.key.to_string(), one.by));
    }
  }
  image.finish();
  return report;
}

result<verification> verify(const std::string& file, const std::vector<const resource_table*>& tables) {
  // Opening a store makes one where there is none, and that would hold in every way.
  auto there = detail::sqlite::connection::open(file, detail::sqlite::open_mode::read, std::chrono::milliseconds{0});
  if (!there) return there.error();
  sqlite_options options;
  options.file = file;
  auto opened = detail::open_sqlite(tables, options);
  if (!opened) return opened.error();
  return detail::verify(**opened);
}

}  // namespace herald
