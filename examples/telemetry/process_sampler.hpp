#pragma once
// The sampler of processes: reads every process of the machine at an interval and tells the store who appeared, who
// changed beyond a threshold, and who ended. A new incarnation (and a new start of the demo) reads its rows first, so
// it goes on from what the store knows, and what ended meanwhile is destroyed.
//
// Thread safety: a process; it wants a thread of its own, since a machine has thousands of files to read.

#include "process_watch.hpp"
#include "resources.hpp"
#include "samplers.hpp"

namespace telemetry {

class process_sampler : public herald::process<process_sampler, sample_now> {
 public:
  using args = surroundings;
  process_sampler(herald::context& self, args around);
  void on(herald::context& self, const sample_now&);

 private:
  void settled(const process_key& key, const herald::result<proc_row>& how);

  args around_;
  sampling_pace pace_;
  process_watch watch_;
};

}  // namespace telemetry
