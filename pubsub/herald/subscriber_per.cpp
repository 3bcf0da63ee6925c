#include <herald/subscriber_per.hpp>

#include <herald/topic.hpp>

namespace herald::detail {

namespace {

constexpr auto nobody = ~std::size_t{0};

/// From 0.
std::size_t key_segment(const std::string& pattern, std::size_t wanted) {
  if (wanted != 0) return wanted - 1;
  std::size_t at = 0;
  for (const auto segment : topic_segments{pattern}) {
    if (segment == "*") return at;
    ++at;
  }
  return nobody;
}

std::string fault_of(const std::string& pattern, const subscriber_per_options& o) {
  if (!check_pattern(pattern)) return {};  // the router's spec says it
  std::size_t segments = 0;
  for (const auto segment : topic_segments{pattern})
    if (segment != "**") ++segments;
  const auto key = key_segment(pattern, o.segment);
  if (key == nobody)
    return "has no key: the pattern \"" + pattern + "\" has no segment \"*\"; wanted: one, or .segment";
  if (key >= segments)
    return "has segment " + std::to_string(o.segment) + " as its key, but topics of the pattern \"" + pattern +
           "\" may have only " + std::to_string(segments) + "; wanted: 1 to " + std::to_string(segments);
  if (o.idle.count() < 1) return "has an idle time of " + std::to_string(o.idle.count()) + " ms; wanted: 1 up";
  if (o.max == 0) return "has max 0; wanted: 1 up";
  if (o.max_waiting == 0) return "has max_waiting 0; wanted: 1 up";
  return {};
}

}  // namespace

std::shared_ptr<engine::router_plan> plan_of(const std::string& pattern, const subscriber_per_options& o,
                                             const engine::type_tag& event) {
  auto plan = std::make_shared<engine::router_plan>();
  plan->segment = key_segment(pattern, o.segment);
  plan->idle = o.idle;
  plan->max = o.max;
  plan->max_waiting = o.max_waiting;
  plan->event = &event;
  return plan;
}

child_spec around_router(const std::string& pattern, const subscriber_per_options& o, child_spec router) {
  const auto name = o.name.empty() ? router.id : o.name;
  router.id = "router";
  // When one of both ends the other has lost its place, so they begin anew together; events wait in the router's mailbox.
  child_spec whole = supervisor{.name = name,
                                .strategy = one_for_all,
                                .intensity = {3, std::chrono::seconds{5}},
                                .children = {dynamic("each", dynamic_supervisor_options{.intensity = o.intensity}), std::move(router)}};
  whole.fault = fault_of(pattern, o);
  return whole;
}

child_spec member_of(std::string_view segment, const subscriber_per_options& o) {
  constexpr std::size_t longest_id = 200;
  child_spec spec;
  for (const char c : segment) {
    if (c == '/') {
      spec.id += "%2F";
    } else {
      spec.id += c;
    }
  }
  if (spec.id.size() > longest_id) spec.id.clear();
  spec.options = {o.restart, o.shutdown, o.mailbox, o.on_restart, o.backoff, o.placement, o.start_timeout, false, {}, {}};
  return spec;
}

}  // namespace herald::detail
