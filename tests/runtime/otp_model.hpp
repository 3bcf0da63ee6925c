#pragma once
// A supervision tree as OTP's book has it: plain recursion, no steps, no messages, no threads. The fuzz test asks it what
// a tree must have done, line by line, and compares that with what Herald's did.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <herald/supervisor.hpp>

namespace herald::test {

struct model_node {
  // What it is.
  std::string id;
  bool is_supervisor = false;
  restart_t restart = permanent;
  bool significant = false;
  bool brutal = false;
  bool dynamic = false;
  bool typed = false;        ///< a dynamic one whose children are all of one type
  bool partitioned = false;
  backoff_t backoff{};
  bool final_stop = false;   ///< an end with the reason "final" is final
  std::int64_t shutdown_ms = 1500;
  strategy_t strategy = one_for_one;
  std::int64_t intensity = 1;
  std::int64_t period_ms = 5000;
  auto_shutdown_t auto_shutdown = never;
  std::vector<std::shared_ptr<model_node>> spec;  ///< children of each new life
  // How a worker behaves.
  int failing_inits = 0;
  bool ignores = false;
  std::int64_t init_stall_ms = 0;
  std::int64_t stuck_until_ms = 0;  ///< its handler returns then
  // What it is doing.
  bool alive = false;
  model_node* parent = nullptr;
  std::vector<std::shared_ptr<model_node>> children;
  std::vector<std::int64_t> restarts;
  unsigned attempts = 0;
  unsigned lives = 0;
  std::int64_t up_since_ms = -1;

  [[nodiscard]] std::string path() const {
    if (parent == nullptr) return {};
    const auto above = parent->path();
    return above.empty() ? id : above + "/" + id;
  }
  [[nodiscard]] model_node* find(const std::string& child) const {
    for (const auto& c : children)
      if (c->id == child) return c.get();
    return nullptr;
  }
};

class otp_model {
 public:
  enum class start_t { ok, failed, ignored };

  std::vector<std::string> trace;
  std::vector<std::string> zombies;  ///< whose handlers were fenced off; their "~" comes when they return
  std::int64_t now_ms = 0;
  bool ended = false;  ///< the root gave up, or all of its significant children have ended

  start_t start(model_node& n) {
    if (!n.is_supervisor) return start_worker(n);
    ++n.lives;
    n.restarts.clear();
    n.children.clear();
    for (const auto& c : n.spec) {
      c->parent = &n;
      c->alive = false;
      c->attempts = 0;
      c->up_since_ms = -1;
      n.children.push_back(c);
    }
    n.alive = true;
    for (const auto& c : std::vector{n.children}) {
      const auto how = start(*c);
      if (how == start_t::failed) {
        stop(n, false);
        return start_t::failed;
      }
      if (how == start_t::ignored && c->restart == temporary) drop(n, *c);
    }
    return start_t::ok;
  }

  /// As start, of a child that an operator starts by hand.
  start_t start_by_hand(model_node& n) {
    n.attempts = 0;
    return start(n);
  }

  /// Ends a node and everything below it: in reverse order, or by force, without a word.
  void stop(model_node& n, bool kill) {
    if (!n.alive) return;
    n.alive = false;
    kill = kill || n.brutal;
    if (n.is_supervisor) {
      stop_from(n, 0, kill);
      return;
    }
    if (n.stuck_until_ms > now_ms) {
      const bool in_time = !kill && n.stuck_until_ms - now_ms <= n.shutdown_ms;
      if (!kill) now_ms = in_time ? n.stuck_until_ms : now_ms + n.shutdown_ms;
      n.stuck_until_ms = 0;
      if (!in_time) return zombies.push_back(n.id);
    }
    end_worker(n, kill ? nullptr : "shutdown");
  }

  /// A worker has ended by itself, or (no word) was killed.
  void worker_ended(model_node& n, const char* word, bool clean, bool final = false) {
    n.alive = false;
    const bool stuck = n.stuck_until_ms > now_ms;
    if (stuck && word != nullptr) now_ms = n.stuck_until_ms;
    n.stuck_until_ms = 0;
    if (stuck && word == nullptr) {
      zombies.push_back(n.id);
    } else {
      end_worker(n, word);
    }
    child_down(*n.parent, n, clean, final && n.final_stop);
  }
  void supervisor_killed(model_node& n) {
    stop(n, true);
    if (n.parent != nullptr) child_down(*n.parent, n, false);
  }

  /// False: one that was to be started did not start; then as many take part as before, at most.
  bool resize(model_node& sup, std::size_t partitions) {
    bool all = true;
    for (auto i = sup.children.size(); i-- > partitions;) stop(*sup.children[i], false);
    for (std::size_t i = 0; i < partitions; ++i)
      if (!sup.children[i]->alive && start(*sup.children[i]) == start_t::failed) all = false;
    return all;
  }

  void terminate(model_node& sup, model_node& n) {
    stop(n, false);
    if (n.restart == temporary || sup.dynamic) drop(sup, n);
  }

  static void drop(model_node& sup, model_node& n) {
    for (auto i = sup.children.begin(); i != sup.children.end(); ++i) {
      if (i->get() != &n) continue;
      sup.children.erase(i);
      return;
    }
  }

 private:
  start_t start_worker(model_node& n) {
    now_ms += n.init_stall_ms;
    if (n.ignores) {
      trace.push_back("?" + n.id);
      return start_t::ignored;
    }
    if (n.failing_inits > 0) {
      --n.failing_inits;
      trace.push_back("!" + n.id);
      return start_t::failed;
    }
    trace.push_back("+" + n.id);
    n.alive = true;
    n.up_since_ms = now_ms;
    return start_t::ok;
  }
  void end_worker(const model_node& n, const char* word) {
    if (word != nullptr) trace.push_back("-" + n.id + " " + word);
    trace.push_back("~" + n.id);
  }
  void stop_from(model_node& sup, std::size_t first, bool kill) {
    const auto begun = now_ms;
    auto end = now_ms;
    for (auto i = sup.children.size(); i-- > first;) {
      if (sup.dynamic) now_ms = begun;  // all at once
      stop(*sup.children[i], kill);
      end = std::max(end, now_ms);
    }
    now_ms = end;
  }

  void child_down(model_node& sup, model_node& n, bool clean, bool final = false) {
    if (!final && (n.restart == permanent || (n.restart == transient && !clean))) return restart_child(sup, n);
    leave(sup, n);
  }
  /// It is not restarted; it may have been the one that everything depended on.
  void leave(model_node& sup, model_node& n, std::size_t still_to_start = ~std::size_t{0}) {
    const bool significant = n.significant;
    const auto keep = own(sup, n);
    if (n.restart == temporary || sup.dynamic) drop(sup, n);
    if (!significant || sup.auto_shutdown == never) return;
    if (sup.auto_shutdown == all_significant)
      for (std::size_t i = 0; i < sup.children.size(); ++i)
        if (sup.children[i]->significant && (sup.children[i]->alive || i >= still_to_start)) return;
    end_supervisor(sup);
  }

  void restart_child(model_node& sup, model_node& n) {
    const auto life = sup.lives;
    auto cause = own(sup, n);
    bool retry = false;
    for (;;) {
      if (worn_out(*cause)) return leave(sup, *cause);
      if (!budget_left(sup)) return end_supervisor(sup);
      const auto wait = pause(*cause);
      if (sup.dynamic || sup.strategy == one_for_one) {
        now_ms += wait;
        const auto how = start(*cause);
        if (how == start_t::failed) continue;
        if (how == start_t::ignored && sup.dynamic) drop(sup, *cause);
        return;
      }
      if (retry) now_ms += wait;  // those that are up again stay up meanwhile
      const auto first = sup.strategy == one_for_all ? 0 : index_of(sup, *cause);
      stop_from(sup, first, false);
      if (!retry) now_ms += wait;
      for (auto i = sup.children.size(); i-- > first;)
        if (sup.children[i]->restart == temporary) sup.children.erase(sup.children.begin() + static_cast<std::ptrdiff_t>(i));
      std::shared_ptr<model_node> failed;
      for (auto i = first; i < sup.children.size() && failed == nullptr; ++i) {
        if (start(*sup.children[i]) != start_t::failed) continue;
        failed = sup.children[i];
        if (!worn_out(*failed)) break;
        const bool goes = failed->restart == temporary;
        leave(sup, *failed, i + (goes ? 0 : 1));  // the others come up without it
        if (!sup.alive || sup.lives != life) return;
        if (goes) --i;
        failed = nullptr;
      }
      if (failed == nullptr) return;
      cause = failed;
      retry = true;
    }
  }

  bool worn_out(model_node& n) const {
    const auto& b = n.backoff;
    if (n.up_since_ms >= 0 && now_ms - n.up_since_ms >= ((b.first + b.max) / 2).count()) n.attempts = 0;
    n.up_since_ms = -1;
    return n.attempts >= b.max_restarts;
  }
  static std::int64_t pause(model_node& n) {
    auto time = n.backoff.first;
    for (unsigned i = 0; i < n.attempts && time < n.backoff.max; ++i) time *= 2;
    ++n.attempts;
    return std::min(time, n.backoff.max).count();
  }

  bool budget_left(model_node& sup) const {
    sup.restarts.push_back(now_ms);
    std::erase_if(sup.restarts, [&](std::int64_t t) { return t < now_ms - sup.period_ms; });
    return static_cast<std::int64_t>(sup.restarts.size()) <= sup.intensity;
  }

  void end_supervisor(model_node& sup) {
    stop_from(sup, 0, false);
    sup.alive = false;
    if (sup.parent == nullptr) {
      ended = true;
      return;
    }
    child_down(*sup.parent, sup, true);
  }

  static std::size_t index_of(const model_node& sup, const model_node& n) {
    for (std::size_t i = 0; i < sup.children.size(); ++i)
      if (sup.children[i].get() == &n) return i;
    return sup.children.size();
  }
  static std::shared_ptr<model_node> own(const model_node& sup, const model_node& n) {
    for (const auto& c : sup.children)
      if (c.get() == &n) return c;
    return nullptr;
  }
};

}  // namespace herald::test
