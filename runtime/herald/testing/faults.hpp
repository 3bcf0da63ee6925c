#pragma once
// The problem: what a program does when an init fails, a handler throws, gets stuck, or a message is late or lost, is seen
// in production first, because a test cannot make it happen. Faults are rules that a test gives to its application: on
// this process, at that message, this goes wrong.
//
//   herald::testing::faults faults;
//   faults.fail_init("cache", first(2), "no disk");          // its first two starts fail
//   faults.crash_on<quote>("cache", nth(3));                 // the third quote it is given kills it
//   faults.drop<quote>("feeds/*", one_in(10));               // every tenth or so is lost, as if the mailbox was full
//   herald::application app{tree, {.simulation = &sim, .faults = &faults}};
//
// Paths are those of the tree; `*` stands for one part, `**` at the end for all that follow. Rules may be added while the
// application runs and hold from the process's next incarnation on. Random choices come from the application's entropy,
// so a simulation repeats them.
//
// Thread safety: all members from any thread. Lifetime: outlives its application. Errors: a path that is no path, n = 0:
// std::invalid_argument. stall works in a simulation only, elsewhere it does nothing.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <herald/engine/fault_source.hpp>
#include <herald/engine/type_tag.hpp>

namespace herald::testing {

/// Which of the occasions a rule applies to. Occasions are counted for each rule, over all processes it names.
struct when {
  enum class kind_t : std::uint8_t { always, first, nth, one_in };
  kind_t kind = kind_t::always;
  std::uint64_t n = 1;
};
inline constexpr when every_time{};
/// The first n.
[[nodiscard]] constexpr when first(std::uint64_t n) { return {when::kind_t::first, n}; }
/// The nth, counted from 1.
[[nodiscard]] constexpr when nth(std::uint64_t n) { return {when::kind_t::nth, n}; }
/// Each with a chance of 1 in n.
[[nodiscard]] constexpr when one_in(std::uint64_t n) { return {when::kind_t::one_in, n}; }

/// Instead of a message type: any message, replies and timers too.
struct any_message {};

class faults final : public engine::fault_source {
 public:
  faults();
  ~faults() override;

  /// Init throws std::runtime_error with this text.
  void fail_init(std::string path, when w = every_time, std::string text = "an injected failure of init");
  /// The process crashes on the message; the message is gone.
  template <class M>
  void crash_on(std::string path, when w = every_time) {
    add(std::move(path), tag<M>(), w, action::crash, {});
  }
  /// The message is lost: a dead letter; a call answers overload.
  template <class M>
  void drop(std::string path, when w = every_time) {
    add(std::move(path), tag<M>(), w, action::drop, {});
  }
  /// The message arrives later, behind others.
  template <class M>
  void delay(std::string path, std::chrono::nanoseconds time, when w = every_time) {
    add(std::move(path), tag<M>(), w, action::delay, time);
  }
  /// The handler computes for so long first (virtual time).
  template <class M>
  void stall(std::string path, std::chrono::nanoseconds time, when w = every_time) {
    add(std::move(path), tag<M>(), w, action::stall, time);
  }
  /// No fault happens any more.
  void clear();
  /// How many have happened.
  [[nodiscard]] std::uint64_t count() const;

  [[nodiscard]] std::optional<std::string> before_init(engine::cell& c) noexcept override;

 private:
  enum class action : std::uint8_t { fail_init, crash, drop, delay, stall };
  struct rule;
  struct rules;
  class hook;
  template <class M>
  static const engine::type_tag* tag() {
    if constexpr (std::is_same_v<M, any_message>) {
      return nullptr;
    } else {
      return &engine::tag_of<M>;
    }
  }
  void add(std::string path, const engine::type_tag* type, when w, action what, std::chrono::nanoseconds time,
           std::string text = {});
  std::shared_ptr<rules> rules_;
};

}  // namespace herald::testing
