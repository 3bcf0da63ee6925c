#pragma once
// A frame is one runner's licence to execute one host: while a thread holds it, everything inside the host is that
// thread's alone. It carries the marks by which the clock thread sees a handler that overruns and takes the host away.
//
// The protocol (docs/decisions/memory-model.md): around user code the runner makes `word` odd, on return even, and
// then looks at `seized`. These are plain stores and a plain load: the clock thread sets `seized`, issues an expedited
// membarrier, and takes the host only if it still reads the same odd word. Either the runner's store is seen, or the
// runner sees `seized`; never neither.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <herald/engine/fwd.hpp>

namespace herald::engine {

/// What becomes of the message in hand when its handler returns.
enum class keep_t : std::uint8_t {
  no,         ///< it is over
  put_away,   ///< into the stash
  turn_away,  ///< the stash is full: a dead letter
  again,      ///< the host was taken before it was looked at: it comes again, before everything that waits
};

/// What is left between a host and a handler that was left behind.
struct away_record {
  std::atomic<bool> fenced{false};  ///< its incarnation is dead: every entry into the runtime is a no-op
  cell* of = nullptr;
  std::uint32_t incarnation = 0;
  std::atomic<envelope*> in_hand{nullptr};  ///< the message it is still busy with; whoever takes it may answer its caller
  void* state = nullptr;        ///< the state it still works on, once fenced
  bool own_block = false;       ///< that state is in a block of its own
  const process_ops* ops = nullptr;
  std::string path;
  const type_tag* type = nullptr;  ///< of the message it is busy with, null where it has none
  std::chrono::steady_clock::time_point since{};
  int thread = 0;                  ///< it runs on, 0: unknown
  std::atomic<bool> back{false};   ///< it has returned
};

struct alignas(64) frame {
  std::atomic<std::uint64_t> word{0};     ///< odd: user code is running
  std::atomic<std::uint64_t> handler{0};  ///< odd: within a handler; counts on, so that a long one can be told
  std::atomic<bool> seized{false};
  std::atomic<host*> next{nullptr};  ///< the host this runner executes as soon as its own has nothing left

  std::atomic<int> thread{0};        ///< the runner's, as gettid() gives it; 0 in a simulation

  host* home = nullptr;
  cell* current = nullptr;
  void* state = nullptr;  ///< of the process whose message runs; read by it instead of the cell's, which may be fenced
  const envelope* in_hand = nullptr;
  suspension* suspended = nullptr;  ///< the handler that was just called waits inside, or one that did goes on
  envelope* kept = nullptr;         ///< the message of a handler that goes on (suspension.hpp)
  const void* delivery = nullptr;  ///< what a higher floor hands over with the message (the topic, the missed count)
  void* execution = nullptr;       ///< the scheduler's context, as the executor wants it back
  std::uint32_t uncounted = 0;     ///< messages its cell handled before and in the call that lost the host
  bool lost = false;               ///< the host was taken away; written under the host's seize mutex
  keep_t keep = keep_t::no;
  bool aside = false;              ///< the user code is not the cell's present life: a zombie's destructor, a filter
  std::shared_ptr<away_record> away;
  trace_hook* traced = nullptr;  ///< while a traced process's handler runs: it sees what is sent

  frame() = default;
  frame(const frame&) = delete;
  frame& operator=(const frame&) = delete;
  /// One that has lost its host ends with its runner's return.
  ~frame() {
    if (away) away->back.store(true, std::memory_order_release);
  }
  /// The slow half of pause_user: asks under the host's mutex whether the host was really taken.
  [[nodiscard]] bool still_owner() noexcept;
};

/// The frame this thread executes, null on plain threads.
extern thread_local frame* current_frame [[gnu::tls_model("initial-exec")]];

inline void enter_user(frame& f, cell& c) noexcept {
  f.current = &c;
  f.handler.store(f.handler.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  f.word.store(f.word.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

/// User code pauses (it entered the runtime). False: the host was taken; nothing of it may be touched any more.
[[nodiscard]] inline bool pause_user(frame& f) noexcept {
  f.word.store(f.word.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return !f.seized.load(std::memory_order_acquire) || f.still_owner();
}
/// User code is over. False as with pause_user.
[[nodiscard]] inline bool leave_user(frame& f) noexcept {
  f.handler.store(f.handler.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return pause_user(f);
}

/// An entry into the runtime from user code (or from a plain thread, where frame is null). While it lives, the host
/// cannot be taken.
class runtime_entry {
 public:
  runtime_entry() noexcept : frame_{current_frame} {
    if (frame_ == nullptr) return;
    nested_ = (frame_->word.load(std::memory_order_relaxed) & 1) == 0;
    owner_ = nested_ ? !frame_->lost : pause_user(*frame_);
  }
  ~runtime_entry() {
    if (frame_ == nullptr || nested_) return;
    frame_->word.store(frame_->word.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  runtime_entry(const runtime_entry&) = delete;
  runtime_entry& operator=(const runtime_entry&) = delete;

  /// The frame whose host this thread owns; null on a plain thread and in a handler that was left behind.
  [[nodiscard]] frame* owned() const noexcept { return owner_ ? frame_ : nullptr; }
  [[nodiscard]] frame* any() const noexcept { return frame_; }
  /// The calling handler belongs to an incarnation that is dead: do nothing.
  [[nodiscard]] bool fenced() const noexcept {
    return frame_ != nullptr && !owner_ && frame_->away && frame_->away->fenced.load(std::memory_order_acquire);
  }

 private:
  frame* frame_;
  bool nested_ = false;
  bool owner_ = false;
};

}  // namespace herald::engine
