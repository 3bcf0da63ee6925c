#pragma once
// The problem: a part of the program is wanted for a while only (a session, an import, a window), and shall run under
// supervision like the rest: its processes found by path, restarted, stopped in order with the application. Whoever wants
// it must be able to end all of it, and must not be able to forget it.
//
//   auto import = app.spawn(herald::supervisor{.name = "import", .children = {...}}).value();
//   ...                                             // its processes: "import/reader", "import/writer"
//   import.stop().value();                          // or the end of its scope
//
//   herald::spawn(self, tree, 5s, [this](herald::result<herald::spawned> r) {   // in a handler; ends with this process
//     if (r) import_ = std::move(*r);
//   });
//
// The tree is a child of the application's root supervisor, as if it had been listed last: its restarts count there, and
// it is stopped first. Any child_spec will do, a single process or a supervisor; its name must be free.
//
// Thread safety: distinct objects: safe. Lifetime: the handle may outlive the application; it then does nothing. Its
// destructor ends the tree: on a plain thread it waits for that, at most 5 s; in a handler, or in the destructor of a
// process, it only orders it. Errors: what start_child says: bad_spec, already_started, start_failed with the reason of
// the init that failed, timeout (and then nothing is left running), noproc when the application does not run.
// The idea: std::jthread, and Elixir's start_supervised.

#include <chrono>
#include <memory>
#include <utility>

#include <herald/supervisor_ref.hpp>

namespace herald {

namespace engine {
class core;
}  // namespace engine

/// A tree that was started at run time, and the right and duty to end it.
class [[nodiscard]] spawned {
 public:
  spawned() = default;
  spawned(spawned&& other) noexcept = default;
  spawned& operator=(spawned&& other) noexcept {
    if (this != &other) {
      end();
      place_ = std::move(other.place_);
    }
    return *this;
  }
  ~spawned() { end(); }

  /// There is a tree, as far as this handle knows: it may have ended by itself.
  explicit operator bool() const noexcept { return place_ != nullptr; }
  /// Its process or topmost supervisor; empty when its init said ignore.
  [[nodiscard]] any_ref who() const noexcept;
  /// The same with its type; empty when it is of another.
  template <class P>
  [[nodiscard]] ref<P> as() const noexcept {
    return type() == &engine::ops_of<P> ? ref<P>{who().where()} : ref<P>{};
  }
  /// For which_children, start_child ...; empty when it is no supervisor.
  [[nodiscard]] supervisor_ref supervisor() const noexcept;

  /// Ends the tree, each child within its own limit, and waits for it. Nothing to end, or ended already: success.
  /// Errors: timeout (it then still ends), would_block in a handler.
  result<void> stop(std::chrono::milliseconds limit = default_call_limit);
  /// The same from a handler; then(result<void>) runs as a handler of the caller.
  template <class F>
  void stop(context& self, std::chrono::milliseconds limit, F then) {
    auto* pending = new engine::call_continuation<void, F>{std::move(then)};
    if (!engine::begin_call(self.cell(), self.incarnation(), pending, limit)) return;
    order({self.self().where(), self.incarnation(), pending->id, nullptr});
  }
  /// Lets go of it: it runs until the application stops.
  void release() noexcept;

  /// For higher floors: application::spawn, for who has its inside only.
  [[nodiscard]] static result<spawned> begin(engine::core& system, child_spec tree, std::chrono::milliseconds limit);

 private:
  template <class F>
  friend void spawn(context& self, child_spec tree, std::chrono::milliseconds limit, F then);

  struct place;
  struct forget_place {
    void operator()(place* p) const noexcept;
  };
  /// Starts it, and answers with a result<spawned>.
  static void start(engine::core& system, child_spec tree, engine::reply_to back);
  [[nodiscard]] const engine::process_ops* type() const noexcept;
  void order(engine::reply_to back);
  void end() noexcept;
  std::unique_ptr<place, forget_place> place_;
};

/// application::spawn from a handler; then(result<spawned>) runs as a handler of the caller. When that is gone by then,
/// so is the tree.
template <class F>
void spawn(context& self, child_spec tree, std::chrono::milliseconds limit, F then) {
  auto* pending = new engine::call_continuation<spawned, F>{std::move(then)};
  if (!engine::begin_call(self.cell(), self.incarnation(), pending, limit)) return;
  spawned::start(engine::system_of(self.cell()), std::move(tree),
                 {self.self().where(), self.incarnation(), pending->id, nullptr});
}

}  // namespace herald
