#pragma once
// What every process of the demo is given: where rows go, where /proc is, how often to look, and the word that the run
// is coming to its end. Kept in each child's spec, so every incarnation has it.
//
// Thread safety: shared objects: safe.

#include "troubles.hpp"

#include <herald/store.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace telemetry {

struct surroundings {
  herald::store store;
  std::string host;
  std::string proc_root = "/proc";
  std::chrono::milliseconds interval{250};
  std::shared_ptr<troubles> trouble = std::make_shared<troubles>();

  /// What an action answered: told when something is wrong that time alone does not cure.
  template <class T>
  void heed(const herald::result<T>& how) const {
    if (!how) trouble->heed(how.error());
  }
};

}  // namespace telemetry
