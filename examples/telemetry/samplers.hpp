#pragma once
// The samplers: each reads one part of /proc at an interval and runs an action on the host's row. Each knows how far it
// got; a measurement whose action is still on its way is waited for, so a slow disk makes samples rarer, never a queue
// longer.
//
// Thread safety: processes. Errors: an action that fails is a sample less; the next one comes by itself.

#include "proc_host.hpp"
#include "rates.hpp"
#include "surroundings.hpp"

#include <herald/runtime.hpp>

#include <optional>

namespace telemetry {

/// The timer's message.
struct sample_now {};

/// What the samplers of the host have in common: the pace, and one action on its way at most.
class sampling_pace {
 public:
  sampling_pace(herald::context& self, const surroundings& around);
  /// True when a sample is due: nothing is on its way.
  [[nodiscard]] bool due() const;
  /// Time since the last call.
  [[nodiscard]] seconds_f lap(herald::context& self);
  void sent() { on_its_way_ = true; }
  template <class T>
  void settled(const surroundings& around, const herald::result<T>& how) {
    around.heed(how);
    on_its_way_ = false;
  }

 private:
  std::chrono::steady_clock::time_point last_;
  bool on_its_way_ = false;
};

class cpu_sampler : public herald::process<cpu_sampler, sample_now> {
 public:
  using args = surroundings;
  cpu_sampler(herald::context& self, args around);
  void on(herald::context& self, const sample_now&);

 private:
  void create_host(herald::context& self);
  args around_;
  sampling_pace pace_;
  std::optional<cpu_sample> before_;
};

class memory_sampler : public herald::process<memory_sampler, sample_now> {
 public:
  using args = surroundings;
  memory_sampler(herald::context& self, args around);
  void on(herald::context& self, const sample_now&);

 private:
  args around_;
  sampling_pace pace_;
};

/// Disk and network: a counter of bytes in and bytes out.
class disk_sampler : public herald::process<disk_sampler, sample_now> {
 public:
  using args = surroundings;
  disk_sampler(herald::context& self, args around);
  void on(herald::context& self, const sample_now&);

 private:
  args around_;
  sampling_pace pace_;
  std::optional<traffic_sample> before_;
};

class network_sampler : public herald::process<network_sampler, sample_now> {
 public:
  using args = surroundings;
  network_sampler(herald::context& self, args around);
  void on(herald::context& self, const sample_now&);

 private:
  args around_;
  sampling_pace pace_;
  std::optional<traffic_sample> before_;
};

}  // namespace telemetry
