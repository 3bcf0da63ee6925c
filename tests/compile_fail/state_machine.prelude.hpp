#pragma once
// What the pieces of state_machine.cases begin with.
#include <herald/child_spec.hpp>
#include <herald/state_machine.hpp>

struct locked {};
struct open {};
struct coin {};
struct push {};
struct peek {
  using reply = int;
};

template <class Door, class... Messages>
using machine = herald::state_machine<Door, herald::states<locked, open>, Messages...>;
