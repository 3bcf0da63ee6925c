#pragma once
// The problem: a message that reaches nobody is a fault somewhere, and "17 messages were lost" does not say where. Whoever
// wants to know gets them as a stream: from whom, to whom, which type, why, and how many alike.
//
//   auto stream = app.on_dead_letters([](const herald::dead_letter& d) { std::puts(d.to_string().c_str()); });
//
// Alike ones of about 10 ms come as one with a count; at most 1000 different ones at a time, the rest as one without
// names. Sampled reports (report::dead_letter) come besides. Without a sink nothing is remembered but the counts.
// Thread safety: the sink is called by one thread at a time, not by a process's. The idea: Akka's dead letters.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <herald/engine/envelope.hpp>
#include <herald/ref.hpp>
#include <herald/sink_handle.hpp>

namespace herald {

using dead_letter_reason = engine::discard_reason;
/// "noproc", "overflow", ...
[[nodiscard]] std::string_view name_of(dead_letter_reason why) noexcept;

struct dead_letter {
  any_ref from;           ///< empty for plain threads and topics
  any_ref to;
  std::string from_path;  ///< empty when it is gone by now
  std::string to_path;
  std::string_view type;
  dead_letter_reason reason = dead_letter_reason::noproc;
  std::uint64_t count = 1;
  std::chrono::system_clock::time_point when{};  ///< of the first one

  /// "3 x order from desk to archive: noproc".
  [[nodiscard]] std::string to_string() const;
};

using dead_letter_sink = std::function<void(const dead_letter&)>;

}  // namespace herald
