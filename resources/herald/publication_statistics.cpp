#include <herald/publication_statistics.hpp>

#include <herald/detail/publication_counters.hpp>
#include <herald/detail/store_state.hpp>
#include <herald/reference.hpp>
#include <herald/store.hpp>
#include <herald/topics.hpp>

#include <algorithm>

namespace herald {

namespace detail {

namespace {

void add(std::atomic<std::uint64_t>& to, std::uint64_t more) noexcept {
  to.store(to.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

}  // namespace

publication_counters::publication_counters(const std::vector<const resource_table*>& tables) {
  for (const resource_table* table : tables) tables_.push_back({table, std::make_unique<row[]>(table->publications.size())});
}

void publication_counters::count(const event_record& event) noexcept {
  const auto mine = std::find_if(tables_.begin(), tables_.end(), [&](const of_table& one) { return one.table == event.resource; });
  if (mine == tables_.end()) return;
  const auto publications = event.resource->publications;
  for (std::size_t i = 0; i < publications.size(); ++i) {
    if (!concerns(publications[i], event)) continue;
    row& to = mine->rows[i];
    add(to[matched], 1);
    if ((event.filtered & (std::uint64_t{1} << i)) != 0) {
      add(to[filtered], 1);
      continue;
    }
    std::uint64_t went_to = 0;
    std::uint64_t length = 0;
    for (const auto& route : publications[i].ephemeral ? event.passing : event.routes) {
      if (route.publication != i) continue;
      ++went_to;
      length += route.topic.size();
    }
    add(to[topics], went_to);
    add(to[topic_bytes], length);
    const bool threw = std::any_of(event.failed.begin(), event.failed.end(), [&](const auto& one) { return one.publication == i; });
    if (threw) add(to[failed], 1);
    if (went_to == 0 && !threw) add(to[skipped], 1);
  }
}

const publication_counters::row* publication_counters::of(const resource_table& resource) const noexcept {
  for (const of_table& one : tables_) {
    if (one.table == &resource) return one.rows.get();
  }
  return nullptr;
}

}  // namespace detail

std::vector<publication_statistics> publication_statistics_of(const store& of, const resource_table& resource) {
  using counters = detail::publication_counters;
  std::vector<publication_statistics> all;
  const auto* const rows = of.state()->publications().of(resource);
  if (rows == nullptr) return all;
  for (std::size_t i = 0; i < resource.publications.size(); ++i) {
    const auto get = [&](counters::what which) { return rows[i][which].load(std::memory_order_relaxed); };
    all.push_back({.topic = topic_template(resource, resource.publications[i]),
                   .event = std::string{resource.publications[i].name},
                   .matched = get(counters::matched),
                   .filtered = get(counters::filtered),
                   .skipped = get(counters::skipped),
                   .failed = get(counters::failed),
                   .topics = get(counters::topics),
                   .topic_bytes = get(counters::topic_bytes)});
  }
  return all;
}

}  // namespace herald
