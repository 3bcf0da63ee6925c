#pragma once
// The engine's names, for headers that only pass them on.

#include <cstdint>

namespace herald::engine {

struct cell;
struct cell_extras;
struct envelope;
struct frame;
struct process_ops;
struct suspension;
struct watch;
struct away_record;
struct type_tag;
class waiter;
class core;
class executor;
class host;
class supervisor_state;
class survey;
class trace_hook;
class survey_desk;

/// Where a process lives. Cells are never given back before their application is destroyed, only reused under another
/// generation, so an address may always be looked at; one whose generation has passed names nobody.
struct address {
  engine::cell* cell = nullptr;
  std::uint32_t generation = 0;
  friend bool operator==(const address&, const address&) = default;
};

}  // namespace herald::engine
