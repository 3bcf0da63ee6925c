#pragma once
// A trace under way: a hook in the traced cell, events gathered in between, a sink at the end.

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include <herald/engine/extras.hpp>
#include <herald/engine/ticking.hpp>
#include <herald/process_trace.hpp>

namespace herald::engine {

class tracer final : public closable, public ticking, public std::enable_shared_from_this<tracer> {
 public:
  tracer(core& system, address who, trace_sink sink, trace_options options);

  void begin();
  /// The trace's handle has ended, or its limit is reached.
  void close() noexcept override;
  void tick() override;
  void over() noexcept override { closed_.store(true); }

  /// By the host's owner.
  void note(trace_event::kind_t kind, const envelope& e, address peer, std::chrono::nanoseconds time = {});
  void forget_hook() noexcept { hook_ = nullptr; }

 private:
  void hand_out(std::vector<trace_event> batch);
  void unhook() noexcept;

  core& system_;
  const address who_;
  sink_slot<trace_event> sink_;
  const trace_options options_;
  const cell_hook* hook_ = nullptr;  ///< of the cell; belongs to its host's owner
  std::uint64_t told_ = 0;           ///< so are these
  std::uint64_t skipped_ = 0;
  std::uint32_t this_second_ = 0;
  std::chrono::steady_clock::time_point second_{};
  std::atomic<bool> closed_{false};
  std::mutex mutex_;
  std::vector<trace_event> gathered_;
  bool looking_up_ = false;  ///< a batch is on its way; the next waits, for the order's sake
};

/// Sees the messages of one process; while its handler runs, it hangs on the frame for what is sent.
class trace_hook final : public cell_hook {
 public:
  explicit trace_hook(std::shared_ptr<tracer> t) noexcept : cell_hook{false}, tracer_{std::move(t)} {}
  ~trace_hook() override { tracer_->forget_hook(); }
  void arrived(const cell& c, const envelope& e) noexcept override;
  void before(cell& c, frame& f, const envelope& e) noexcept override;
  void after(cell& c, frame& f, const envelope& e) noexcept override;
  void sent(const envelope& e) noexcept;

 private:
  std::shared_ptr<tracer> tracer_;
  std::chrono::steady_clock::time_point begun_{};
  address from_;
};

}  // namespace herald::engine
