#pragma once
// The problem: a supervisor can only restart what it can start again from scratch, so everything a child needs must be
// in a value that outlives the child. A child_spec is that value: which process type, with which arguments, and what to
// do when it ends.
//
// Thread safety: values; distinct objects: safe. Arguments are kept by shared pointer to const, and copied into each
// incarnation. The idea: Erlang/OTP's child specification; the defaults are OTP's where OTP has them.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <herald/engine/process_ops.hpp>
#include <herald/via.hpp>

namespace herald {

using namespace std::chrono_literals;

/// When a child that ended is started again.
enum class restart_t : std::uint8_t {
  permanent,  ///< always
  transient,  ///< when it failed; not after normal or shutdown
  temporary,  ///< never; its spec goes with it
};
using enum restart_t;

/// What becomes of the messages that wait when a process crashes.
enum class on_restart_t : std::uint8_t { keep, drop };
using enum on_restart_t;

/// What a full mailbox does with one more message.
enum class overflow_t : std::uint8_t {
  drop_newest,   ///< the message becomes a dead letter; a call answers overload
  /// The oldest cast, call or event goes, and the new one is taken. Notices stay; when the 64 oldest messages are all
  /// notices, the new one goes instead, so that a refusal never costs more than a short look.
  drop_oldest,
  stop_process,  ///< the process is stopped with a failure "mailbox full"
  unbounded,     ///< it grows; spelled out because it can take all memory
  /// As drop_newest, and a process that cast it is told: it gets on(const send_failed&), if it accepts that. It does not
  /// crash: how full a neighbour's mailbox is says nothing about the sender's own state. (Plain threads have try_cast.)
  fail_sender,
};
using enum overflow_t;

struct mailbox_t {
  std::uint32_t limit = 100'000;  ///< messages, 1 to 4 billion
  overflow_t when_full = drop_newest;
  std::uint32_t stash = 10'000;  ///< messages put away by context::stash or postponed, at most
  friend bool operator==(const mailbox_t&, const mailbox_t&) = default;
};

/// How long a child may take to end when asked: a duration (0 up), `infinity`, or `brutal_kill`, which does not ask.
class shutdown_t {
 public:
  enum class kind_t : std::uint8_t { limit, infinite, brutal };
  template <class R, class P>
  constexpr shutdown_t(std::chrono::duration<R, P> limit)  // NOLINT: a duration is a limit
      : limit_{std::chrono::duration_cast<std::chrono::milliseconds>(limit)} {}
  constexpr explicit shutdown_t(kind_t kind) : kind_{kind} {}
  [[nodiscard]] constexpr kind_t kind() const noexcept { return kind_; }
  [[nodiscard]] constexpr std::chrono::milliseconds limit() const noexcept { return limit_; }
  friend bool operator==(const shutdown_t&, const shutdown_t&) = default;

 private:
  kind_t kind_ = kind_t::limit;
  std::chrono::milliseconds limit_{0};
};
inline constexpr shutdown_t brutal_kill{shutdown_t::kind_t::brutal};
inline constexpr shutdown_t infinity{shutdown_t::kind_t::infinite};

/// A pause before each restart: first, then doubled up to max, each longer by a random share of at most `jitter`.
/// {} means no pause. Pauses do not lift the supervisor's intensity: restarts count there too.
struct backoff_t {
  std::chrono::milliseconds first{0};
  std::chrono::milliseconds max{0};
  double jitter = 0;  ///< 0 to 1
  /// A life this long and the pauses start over; 0: (first + max) / 2; by_hand: only supervisor_ref::reset_backoff does.
  std::chrono::milliseconds reset_after{0};
  static constexpr std::chrono::milliseconds by_hand = std::chrono::milliseconds::max();
  /// Restarts in a row, 0 up: one more is not made, the child stays stopped and its supervisor lives on.
  std::uint32_t max_restarts = unlimited_restarts;
  static constexpr std::uint32_t unlimited_restarts = ~std::uint32_t{0};
  /// A first start that fails is tried again like a restart; otherwise it is an error of whoever starts the child.
  bool first_start = false;
  friend bool operator==(const backoff_t&, const backoff_t&) = default;
};

/// Where a process lives. By default beside its supervisor: neighbours talk most.
struct placement_t {
  enum class kind_t : std::uint8_t { together, spread, by_key, own_thread };
  kind_t kind = kind_t::together;
  std::uint64_t key = 0;
  friend bool operator==(const placement_t&, const placement_t&) = default;
};
inline constexpr placement_t together{placement_t::kind_t::together, 0};
/// The next host, round robin.
inline constexpr placement_t spread{placement_t::kind_t::spread, 0};
/// A thread of its own, for code that blocks.
inline constexpr placement_t own_thread{placement_t::kind_t::own_thread, 0};
/// The same host for the same key.
[[nodiscard]] constexpr placement_t by_key(std::uint64_t key) { return {placement_t::kind_t::by_key, key}; }

struct child_options {
  restart_t restart = permanent;
  std::optional<shutdown_t> shutdown{};  ///< default 5 s; infinity for supervisors
  mailbox_t mailbox{};
  on_restart_t on_restart = keep;
  backoff_t backoff{};
  placement_t placement{};
  std::chrono::milliseconds start_timeout{0};  ///< limit of init; 0: none
  bool significant = false;                    ///< see supervisor::auto_shutdown
  via_name via{};                              ///< a name in a registry, claimed before init
  /// An end with exactly this reason is final: the child is not restarted, whatever `restart` says.
  std::optional<exit_reason> final_stop{};
  friend bool operator==(const child_options&, const child_options&) = default;
};

struct supervisor;
namespace engine {
struct supervisor_spec;
}

struct child_spec {
  std::string id;
  child_options options{};
  const engine::process_ops* ops = nullptr;
  std::shared_ptr<const void> args{};
  const engine::args_ops* args_kind = nullptr;
  std::shared_ptr<const engine::supervisor_spec> tree{};  ///< the children, when this child is a supervisor
  std::string fault{};  ///< what its maker found wrong with it, told by check_spec under its path; empty: nothing

  child_spec() = default;
  child_spec(supervisor nested);  // NOLINT: a supervisor is a child

  [[nodiscard]] bool is_supervisor() const noexcept { return tree != nullptr; }
  [[nodiscard]] shutdown_t shutdown() const noexcept {
    return options.shutdown.value_or(is_supervisor() ? infinity : shutdown_t{5s});
  }
  /// Ids, options, types, and the arguments where they can be compared (otherwise: the same arguments object).
  friend bool operator==(const child_spec& left, const child_spec& right);
};

/// A worker: a process of type P under the name `id`, with the arguments each incarnation's init gets.
template <class P>
  requires engine::has_args<P>
[[nodiscard]] child_spec child(std::string id, typename P::args args, child_options options = {}) {
  child_spec spec;
  spec.id = std::move(id);
  spec.options = options;
  spec.ops = &engine::ops_of<P>;
  spec.args = engine::share_args(std::move(args));
  spec.args_kind = &engine::args_ops_of<typename P::args>;
  return spec;
}
template <class P>
  requires(!engine::has_args<P>)
[[nodiscard]] child_spec child(std::string id, child_options options = {}) {
  child_spec spec;
  spec.id = std::move(id);
  spec.options = options;
  spec.ops = &engine::ops_of<P>;
  return spec;
}

}  // namespace herald
