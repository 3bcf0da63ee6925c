#pragma once
// What an application may be told about its surroundings. Every field has a default that is right for most programs.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <herald/clock.hpp>
#include <herald/report.hpp>
#include <herald/shutdown.hpp>

namespace caf {
class actor_system;
}

namespace herald {

class simulation;
namespace engine {
class fault_source;
}

enum class when_starved_t : std::uint8_t {
  report_only,  ///< a report `starved`; the hosts wait until a handler returns
  end_program,  ///< ... and the program ends at once with exit code 70, so that whoever supervises it starts it again
};

struct application_options {
  /// Worker threads, 1 to 256. 0: one a core. Ignored with a user's own actor_system.
  unsigned workers = 0;
  /// Hosts that the supervisors are spread over, 1 to 4096. 0: twice the workers.
  unsigned hosts = 0;
  /// A handler that runs longer is reported, and its host goes on without it. 1 ms up.
  std::chrono::milliseconds overrun_limit{100};
  /// Envelopes that may wait for one host, 1 to 2 097 151. Above it casts become dead letters and calls answer overload. A host may
  /// have as many again in hand: it takes more only when those are handed to their processes.
  std::uint32_t inbox_limit = 1'000'000;
  /// Threads for offloaded functions, 1 to 1024; started when needed.
  unsigned offload_threads = 8;
  /// Offloaded functions that may wait for a thread, 1 up. Above it offload answers overload.
  std::uint32_t offload_queue = 10'000;
  /// How long a stop waits for offloaded functions that still run, 0 up. What is left then is named among the zombies.
  std::chrono::milliseconds offload_stop_limit{1000};
  /// How the program ends, apart from its tree; none: only the tree.
  std::optional<coordinated_shutdown> shutdown{};
  /// What takes longer to end is in the stop report, 0 up.
  std::chrono::milliseconds slow_end{1000};
  /// Talk to systemd (herald/systemd.hpp). Not set: run_until_signal() does when NOTIFY_SOCKET is set. True: start() does.
  std::optional<bool> systemd{};
  /// Reports of stuck handlers show the thread's stack, taken by a signal where that disturbs nothing (engine/stuck_stack.hpp).
  bool stuck_stacks = true;
  /// Threads that may stand in for workers whose handlers are stuck, 1 to 4096.
  unsigned spare_threads = 64;
  /// When all of those are stuck, too, and hosts wait for a thread.
  when_starved_t when_starved = when_starved_t::report_only;
  /// Who is told of crashes, restarts and the rest. Empty: failures go to standard error.
  std::vector<report_sink> sinks{};
  /// Time and randomness, null: the machine's.
  herald::clock* clock = nullptr;
  herald::entropy* entropy = nullptr;
  /// Run under this simulation: one thread, seeded order, virtual time. Clock and entropy are then the simulation's.
  herald::simulation* simulation = nullptr;
  /// Faults for a test to inject (testing/faults.hpp); null: none.
  engine::fault_source* faults = nullptr;
  /// A CAF system to live in; null: the application makes its own.
  caf::actor_system* actor_system = nullptr;
};

}  // namespace herald
