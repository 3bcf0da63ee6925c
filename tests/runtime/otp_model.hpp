#pragma once
// A supervision tree as OTP's book has it: plain recursion, no steps, no messages, no threads. The fuzz test asks it what
// a tree must have done, line by line, and compares that with what Herald's did.

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
  strategy_t strategy = one_for_one;
  std::int64_t intensity = 1;
  std::int64_t period_ms = 5000;
  auto_shutdown_t auto_shutdown = never;
  std::vector<std::shared_ptr<model_node>> spec;  ///< children of each new life
  // How a worker behaves.
  int failing_inits = 0;
  bool ignores = false;
  std::int64_t init_stall_ms = 0;
  // What it is doing.
  bool alive = false;
  model_node* parent = nullptr;
  std::vector<std::shared_ptr<model_node>> children;
  std::vector<std::int64_t> restarts;

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
  std::int64_t now_ms = 0;
  bool ended = false;  ///< the root gave up, or all of its significant children have ended

  start_t start(model_node& n) {
    if (!n.is_supervisor) return start_worker(n);
    n.restarts.clear();
    n.children.clear();
    for (const auto& c : n.spec) {
      c->parent = &n;
      c->alive = false;
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

  /// Ends a node and everything below it: in reverse order, or by force, without a word.
  void stop(model_node& n, bool kill) {
    if (!n.alive) return;
    n.alive = false;
    kill = kill || n.brutal;
    if (n.is_supervisor) {
      stop_from(n, 0, kill);
      return;
    }
    end_worker(n, kill ? nullptr : "shutdown");
  }

  /// A worker has ended by itself.
  void worker_ended(model_node& n, const char* word, bool clean) {
    n.alive = false;
    end_worker(n, word);
    child_down(*n.parent, n, clean);
  }
  void supervisor_killed(model_node& n) {
    stop(n, true);
    if (n.parent != nullptr) child_down(*n.parent, n, false);
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
    return start_t::ok;
  }
  void end_worker(const model_node& n, const char* word) {
    if (word != nullptr) trace.push_back("-" + n.id + " " + word);
    trace.push_back("~" + n.id);
  }
  void stop_from(model_node& sup, std::size_t first, bool kill) {
    for (auto i = sup.children.size(); i-- > first;) stop(*sup.children[i], kill);
  }

  void child_down(model_node& sup, model_node& n, bool clean) {
    if (n.restart == permanent || (n.restart == transient && !clean)) return restart_child(sup, n);
    const bool significant = n.significant;
    const auto keep = own(sup, n);
    if (n.restart == temporary || sup.dynamic) drop(sup, n);
    if (!significant || sup.auto_shutdown == never) return;
    if (sup.auto_shutdown == all_significant)
      for (const auto& c : sup.children)
        if (c->significant && c->alive) return;
    end_supervisor(sup);
  }

  void restart_child(model_node& sup, model_node& n) {
    auto* cause = &n;
    for (;;) {
      if (!budget_left(sup)) return end_supervisor(sup);
      const auto keep = own(sup, *cause);
      if (sup.dynamic || sup.strategy == one_for_one) {
        const auto how = start(*cause);
        if (how == start_t::failed) continue;
        if (how == start_t::ignored && sup.dynamic) drop(sup, *cause);
        return;
      }
      const auto first = sup.strategy == one_for_all ? 0 : index_of(sup, *cause);
      stop_from(sup, first, false);
      for (auto i = sup.children.size(); i-- > first;)
        if (sup.children[i]->restart == temporary) sup.children.erase(sup.children.begin() + static_cast<std::ptrdiff_t>(i));
      model_node* failed = nullptr;
      for (auto i = first; i < sup.children.size() && failed == nullptr; ++i)
        if (start(*sup.children[i]) == start_t::failed) failed = sup.children[i].get();
      if (failed == nullptr) return;
      cause = failed;
    }
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
