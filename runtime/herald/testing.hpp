#pragma once
// Everything for tests of processes: a simulated application (world), a process that records and answers (probe), faults
// to inject, and running one test under many seeds. Works with any test framework: what is expected and does not happen
// is thrown as testing::failure, with a text that says what happened instead.

#include <herald/testing/faults.hpp>
#include <herald/testing/probe.hpp>
#include <herald/testing/seeds.hpp>
#include <herald/testing/world.hpp>
