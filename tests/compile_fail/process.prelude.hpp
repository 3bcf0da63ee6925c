#pragma once
// What the pieces of process.cases begin with.
#include <herald/runtime.hpp>
#include <herald/coroutine.hpp>
#include <herald/reply_to.hpp>

struct add { int n = 0; };
struct total { using reply = int; };
struct other { using reply = std::string; };

struct sum : herald::process<sum, add, total, other> {
  void on(const add&) {}
  int on(const total&) { return 0; }
  std::string on(const other&) { return {}; }
};
