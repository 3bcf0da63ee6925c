#pragma once
// The aggregates: they take every measurement of the host and every change of a process, keep rolling windows, and
// broadcast what the alert rules judge: means over a few seconds instead of single samples.
//
// Thread safety: a process. A new incarnation begins with empty windows: they are full again after five seconds.

#include "alert_rules.hpp"
#include "resources.hpp"
#include "surroundings.hpp"

#include <herald/event.hpp>
#include <herald/pubsub.hpp>
#include <herald/runtime.hpp>

namespace telemetry {

/// A subject of readings is no more.
struct subject_gone {
  std::string subject;
};

inline constexpr const char* readings_topic = "readings:value";  ///< of type reading
inline constexpr const char* gone_topic = "readings:gone";       ///< of type subject_gone

class aggregates : public herald::process<aggregates, herald::event<hosts>, herald::event<procs>> {
 public:
  using args = surroundings;
  aggregates(herald::context& self, args around);
  void on(herald::context& self, const herald::event<hosts>& measured);
  void on(herald::context& self, const herald::event<procs>& changed);

 private:
  void tell(herald::context& self, rolling& window, const std::string& watches, const host_row& host, double value,
            instant now);
  args around_;
  rolling cpu_{std::chrono::seconds{5}};
  rolling memory_{std::chrono::seconds{5}};
  rolling disk_out_{std::chrono::seconds{5}};
};

}  // namespace telemetry
