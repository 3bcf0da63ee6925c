#include <herald/bulk.hpp>

#include <herald/query.hpp>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

namespace herald::detail {

namespace {

constexpr std::size_t largest_batch = 4096;

/// The rows behind a key, in the order of the key.
condition behind(const resource_table& resource, const row_key& key) {
  std::vector<condition> ways;
  for (std::size_t i = 0; i < resource.key.size(); ++i) {
    std::vector<condition> all;
    for (std::size_t k = 0; k < i; ++k) all.push_back(condition::compare({}, comparison::equal, value{key[k]}).on(resource.key[k]));
    all.push_back(condition::compare({}, comparison::more, value{key[i]}).on(resource.key[i]));
    ways.push_back(condition::all_of(std::move(all)));
  }
  return condition::any_of(std::move(ways));
}

}  // namespace

bulk_run::bulk_run(source from, bulk_options options) : from_{std::move(from)}, terms_{.rows = {}, .each = {}, .options = options, .last = {}} {}

bulk_run::bulk_run(query rows, action_request each, bulk_options options)
    : terms_{.rows = std::make_shared<const query>(std::move(rows)), .each = std::move(each), .options = options, .last = {}} {}

std::size_t bulk_run::terms::batch_size() const noexcept {
  if (options.all_or_nothing) return std::numeric_limits<std::size_t>::max();
  return std::clamp<std::size_t>(options.batch_size, 1, largest_batch);
}

std::shared_ptr<bulk_run::batch> bulk_run::gather() {
  auto made = std::make_shared<batch>();
  made->first = index_;
  if (!from_) return made;
  while (!drained_ && made->requests.size() < terms_.batch_size()) {
    if (auto request = from_()) {
      made->requests.push_back(*std::move(request));
    } else {
      drained_ = true;
    }
  }
  if (made->requests.empty()) return nullptr;
  made->planned = made->requests.size();
  index_ += made->requests.size();
  return made;
}

void bulk_run::prepare() noexcept {
  spent_ = nullptr;
  if (ended_ || !from_ || prepared_) return;
  try {
    prepared_ = gather();
  } catch (...) {
    trouble_ = std::current_exception();
  }
}

bulk_run::batch_function bulk_run::next() {
  if (ended_) return {};
  if (trouble_) std::rethrow_exception(std::exchange(trouble_, nullptr));
  auto made = prepared_ ? std::exchange(prepared_, nullptr) : gather();
  if (!made) return {};
  in_hand_ = made;
  return [by = terms_, made](transaction& tx) { return run(by, tx, *made); };
}

result<void> bulk_run::look_for_rows(const terms& by, transaction& tx, batch& of) {
  query wanted{*by.rows};
  if (by.last) wanted.where = condition::all_of({wanted.where, behind(*wanted.resource, *by.last)});
  const std::size_t most = by.batch_size();
  if (!by.options.all_or_nothing) wanted.limit = most;
  of.requests.clear();
  auto done = tx.select(wanted, [&](const record& row) {
    of.requests.push_back(by.each);
    of.requests.back().key = row_key::of(row);
  });
  if (!of.requests.empty()) of.last = of.requests.back().key;
  of.whole = of.requests.size() == most;
  return done;
}

void bulk_run::batch::note(const action_outcome& one, const bulk_options& options) {
  switch (one.kind) {
    case event_kind::created: ++done.created; break;
    case event_kind::updated: ++done.updated; break;
    case event_kind::destroyed: ++done.destroyed; break;
    case event_kind::unchanged: ++done.unchanged; break;
  }
  if (options.return_records) done.records.push_back(one.after ? one.after : one.before);
  if (options.return_events && one.event) done.events.push_back(one.event);
}

result<action_outcome> bulk_run::run(const terms& by, transaction& tx, batch& of) {
  of.done = {};
  of.errors.clear();
  if (by.rows) {
    if (auto found = look_for_rows(by, tx, of); !found) return found.error();
  }
  for (std::size_t i = 0; i < of.requests.size(); ++i) {
    result<action_outcome> outcome{action_outcome{}};
    if (auto done = run_nested(tx, of.requests[i], outcome); !done) return done.error();
    if (outcome) {
      of.note(*outcome, by.options);
      continue;
    }
    // With a filter: an earlier one of the batch may have taken this row along.
    if (by.rows && outcome.is(resource_errc::not_found)) continue;
    of.errors.push_back({of.first + i, outcome.error()});
    if (by.options.all_or_nothing || by.options.on_error == bulk_errors::stop) return outcome.error();
  }
  return action_outcome{};
}

void bulk_run::fail(std::size_t first, std::size_t count, const error& why) {
  all_.failed += count;
  for (std::size_t i = 0; i < count && all_.errors.size() < terms_.options.keep_errors; ++i) all_.errors.push_back({first + i, why});
}

void bulk_run::take(const result<action_outcome>& outcome) {
  const auto done = std::exchange(in_hand_, nullptr);
  spent_ = done;
  const bulk_options& options = terms_.options;
  const bool go_on = options.on_error == bulk_errors::go_on && !options.all_or_nothing;
  if (!outcome && outcome.is(resource_errc::timeout)) {
    // The writer may still be at it: nothing of the batch may be looked at, but for what a source gave before it began.
    ended_ = true;
    fail(done->first, go_on ? done->planned : 1, outcome.error());
    return;
  }
  if (outcome) {
    all_.created += done->done.created;
    all_.updated += done->done.updated;
    all_.destroyed += done->done.destroyed;
    all_.unchanged += done->done.unchanged;
    std::move(done->done.records.begin(), done->done.records.end(), std::back_inserter(all_.records));
    std::move(done->done.events.begin(), done->done.events.end(), std::back_inserter(all_.events));
  } else {
    // Undone as a whole: by its own failing action, or by the store.
    if (done->errors.empty() || !(done->errors.back().why.message() == outcome.error().message())) {
      done->errors.clear();
      // Whoever goes on is told of each: none of them was done.
      fail(done->first, go_on ? std::max<std::size_t>(done->requests.size(), 1) : 1, outcome.error());
    }
    if (options.on_error == bulk_errors::stop || options.all_or_nothing || terms_.rows) ended_ = true;
  }
  all_.failed += done->errors.size();
  for (bulk_error& one : done->errors) {
    if (all_.errors.size() < options.keep_errors) all_.errors.push_back(std::move(one));
  }
  if (!terms_.rows) return;
  index_ += done->requests.size();
  terms_.last = done->last;
  if (!done->whole) ended_ = true;
}

}  // namespace herald::detail
