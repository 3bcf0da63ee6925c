#pragma once
// What the benchmarks of Herald's own side share: the size of the application, and samples that say it.

#include <herald/runtime.hpp>
#include <string>
#include <utility>

#include "bench.hpp"

namespace bench {

inline constexpr int hosts_per_worker = 2;

inline herald::application_options size_of_application() {
  herald::application_options options;
  options.workers = static_cast<unsigned>(worker_count());
  options.hosts = static_cast<unsigned>(worker_count() * hosts_per_worker);
  options.sinks = {[](const herald::report&) {}};  // reports are on: they are made and handed to a sink
  return options;
}

inline sample finished(const stopwatch& watch) {
  auto result = watch.stop();
  result.hosts = worker_count() * hosts_per_worker;
  return result;
}

inline sample ns_per(const stopwatch& watch, double work) {
  auto result = finished(watch);
  result.value = result.wall_s * 1e9 / work;
  return result;
}

inline sample million_per_second(const stopwatch& watch, double work) {
  auto result = finished(watch);
  result.value = work / result.wall_s / 1e6;
  return result;
}

}  // namespace bench
