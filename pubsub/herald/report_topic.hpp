#pragma once
// The problem: a program wants to react to what its supervisors tell (a dashboard, an alarm), as to any other event.
// publish_reports makes the application's reports events of type herald::report on the default bus.
//
// Thread safety: from a plain thread, once, before or after start. A subscriber that crashes on reports causes reports:
// its supervisor's restart intensity bounds that.

#include <string_view>

#include <herald/report.hpp>

namespace herald {

class application;

inline constexpr std::string_view reports_topic = "herald:reports";

/// From now on every report of `app` is published to reports_topic.
void publish_reports(application& app);

}  // namespace herald
