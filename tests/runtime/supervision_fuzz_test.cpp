// Random trees, random misfortune, and OTP's rules as a plain model: what each process did must be, line by line, what
// the model says. HERALD_SEED runs one seed, HERALD_SEEDS sets how many.

#include <iostream>
#include <random>

#include "fuzz_seeds.hpp"
#include "otp_model.hpp"
#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

class fuzz_run {
 public:
  explicit fuzz_run(std::uint64_t seed) : world_{seed}, dice_{seed * 7919 + 1} {
    root_ = std::make_shared<model_node>();
    root_->id = "root";
    root_->is_supervisor = true;
    supervisor_options(*root_);
    fill(*root_, 0);
  }

  /// Empty when all went as the model says, otherwise what differed.
  std::string play() {
    if (one_in(12)) {
      if (auto* w = any_worker(true); w != nullptr) set_failing(*w, 1);
    }
    world_.make(describe(*root_));
    const auto started = world_.app->try_start();
    const auto expected = model_.start(*root_);
    act("start");
    if (started.has_value() != (expected == otp_model::start_t::ok)) return fail("start answered otherwise");
    if (auto wrong = compare(); !wrong.empty()) return wrong;
    if (!started) return {};
    const auto steps = 10 + roll(25);
    for (std::uint64_t i = 0; i < steps && !model_.ended; ++i) {
      step();
      if (auto wrong = compare(); !wrong.empty()) return wrong;
      if (model_.ended != world_.app->ended()) return fail("the application has ended in one and not in the other");
      if (auto wrong = compare_lists(*root_); !wrong.empty()) return wrong;
      if (!answer_.empty()) return fail(answer_);
    }
    model_.stop(*root_, false);
    act("stop");
    const auto end = world_.app->stop();
    if (end.gave_up && !model_.ended) return fail("it says that it gave up");
    if (!end.zombies.empty()) return fail("there are zombies");
    return compare();
  }

 private:
  std::uint64_t roll(std::uint64_t sides) { return dice_() % sides; }
  bool one_in(std::uint64_t n) { return roll(n) == 0; }
  void act(std::string what) {
    acts_.push_back(std::to_string(model_.now_ms) + " ms: " + std::move(what));
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(world_.sim.now() - begun_).count();
    if (passed != model_.now_ms) acts_.back().append(" (in truth " + std::to_string(passed) + " ms)");
  }

  // --- the tree -------------------------------------------------------------------------------------------------------

  void supervisor_options(model_node& n) {
    n.strategy = static_cast<strategy_t>(roll(3));
    n.intensity = static_cast<std::int64_t>(one_in(4) ? roll(2) : 2 + roll(6));
    n.period_ms = static_cast<std::int64_t>(one_in(3) ? 50 + roll(500) : 5000);
    if (one_in(4)) n.auto_shutdown = static_cast<auto_shutdown_t>(1 + roll(2));
  }
  void worker_options(model_node& n, const model_node& sup) {
    n.restart = one_in(2) ? permanent : static_cast<restart_t>(roll(3));
    n.brutal = one_in(6);
    n.final_stop = one_in(6);
    if (sup.period_ms == 5000 && one_in(5)) n.backoff = {std::chrono::milliseconds{1 + roll(20)}, 30ms, 0, 0ms, one_in(2) ? static_cast<std::uint32_t>(roll(4)) : backoff_t::unlimited_restarts};
    n.init_stall_ms = one_in(8) ? static_cast<std::int64_t>(1 + roll(40)) : 0;
    n.significant = sup.auto_shutdown != never && n.restart != permanent && one_in(2);
    world_.how(n.id)->init_stall = std::chrono::milliseconds{n.init_stall_ms};
  }
  std::shared_ptr<model_node> new_node(model_node& parent) {
    auto n = std::make_shared<model_node>();
    n->parent = &parent;
    n->id = "n" + std::to_string(++names_);
    all_.push_back(n);
    return n;
  }
  void fill(model_node& sup, unsigned depth) {
    const auto children = 1 + roll(4);
    for (std::uint64_t i = 0; i < children; ++i) {
      auto n = new_node(sup);
      if (depth < 2 && one_in(3)) {
        n->is_supervisor = true;
        n->restart = one_in(3) ? static_cast<restart_t>(roll(3)) : permanent;
        n->significant = sup.auto_shutdown != never && n->restart != permanent && one_in(2);
        if (one_in(3)) {
          n->dynamic = true;
          n->typed = one_in(2);
          n->restart = permanent;
          n->significant = false;
          n->intensity = static_cast<std::int64_t>(1 + roll(4));
        } else if (one_in(4)) {
          fill_partitions(*n);
        } else {
          supervisor_options(*n);
          fill(*n, depth + 1);
        }
      } else {
        worker_options(*n, sup);
      }
      sup.spec.push_back(n);
    }
  }
  void fill_partitions(model_node& sup) {
    sup.partitioned = true;
    sup.significant = false;
    sup.intensity = static_cast<std::int64_t>(1 + roll(6));
    const auto restart = one_in(2) ? permanent : transient;
    const auto partitions = 1 + roll(5);
    for (std::uint64_t i = 0; i < partitions; ++i) {
      auto n = new_node(sup);
      n->restart = restart;
      partition_ids_[n->id] = std::to_string(i);
      sup.spec.push_back(n);
    }
  }
  /// Under which id its supervisor knows it.
  [[nodiscard]] std::string id_of(const model_node& n) const {
    const auto found = partition_ids_.find(n.id);
    return found != partition_ids_.end() ? found->second : n.id;
  }
  [[nodiscard]] std::string path_of(const model_node& n) const {
    const auto above = n.parent == nullptr ? std::string{} : path_of(*n.parent);
    if (n.parent == nullptr) return {};
    return above.empty() ? id_of(n) : above + "/" + id_of(n);
  }
  child_spec describe_partitions(const model_node& n) {
    const auto& one = *n.spec.front();
    child_options o{.restart = one.restart, .shutdown = 1500ms};
    return partition(n.id, world_.worker("nobody", o),
                     {.partitions = n.spec.size(),
                      .with_arguments = [this, &n](probe::args a, std::size_t i) {
                        a.name = n.spec[i]->id;
                        a.how = world_.how(a.name);
                        return a;
                      },
                      .intensity = {n.intensity, std::chrono::milliseconds{n.period_ms}},
                      .restart = n.restart});
  }
  child_spec describe_worker(const model_node& n) {
    child_options o;
    o.restart = n.restart;
    o.shutdown = std::chrono::milliseconds{n.shutdown_ms};
    o.backoff = n.backoff;
    if (n.final_stop) o.final_stop = exit_reason{exit_reason::custom, "final"};
    o.significant = n.significant;
    if (n.brutal) o.shutdown = brutal_kill;
    o.placement = placement_t{static_cast<placement_t::kind_t>(roll(4)), roll(100)};
    return world_.worker(n.id, o);
  }
  supervisor describe(const model_node& n) {
    supervisor s{.name = n.id,
                 .strategy = n.strategy,
                 .intensity = {n.intensity, std::chrono::milliseconds{n.period_ms}},
                 .auto_shutdown = n.auto_shutdown,
                 .restart = n.restart,
                 .significant = n.significant};
    for (const auto& c : n.spec) {
      if (c->partitioned) {
        s.children.push_back(describe_partitions(*c));
      } else if (c->dynamic && !c->typed) {
        s.children.push_back(dynamic(c->id, {.intensity = {c->intensity, std::chrono::milliseconds{c->period_ms}}}));
      } else if (c->dynamic) {
        s.children.push_back(dynamic<probe>(
            c->id, {.restart = dynamic_restart(*c), .shutdown = 1500ms, .placement = one_in(2) ? together : spread,
                    .intensity = {c->intensity, std::chrono::milliseconds{c->period_ms}}}));
      } else {
        s.children.push_back(c->is_supervisor ? child_spec{describe(*c)} : describe_worker(*c));
      }
    }
    return s;
  }
  static restart_t dynamic_restart(const model_node& n) { return static_cast<restart_t>(n.id.back() % 3); }

  template <class Wanted>
  model_node* pick(Wanted&& wanted) {
    std::vector<model_node*> found;
    for (const auto& n : all_)
      if (wanted(*n) && in_tree(*n)) found.push_back(n.get());
    return found.empty() ? nullptr : found[roll(found.size())];
  }
  static bool in_tree(const model_node& n) {
    for (const auto* at = &n; at->parent != nullptr; at = at->parent)
      if (at->parent->find(at->id) != at || !at->parent->alive) return false;
    return true;
  }
  model_node* any_worker(bool in_spec = false) {
    if (in_spec) {
      std::vector<model_node*> found;
      for (const auto& n : all_)
        if (!n->is_supervisor) found.push_back(n.get());
      return found.empty() ? nullptr : found[roll(found.size())];
    }
    return pick([](const model_node& n) { return !n.is_supervisor && n.alive; });
  }

  // --- what happens ---------------------------------------------------------------------------------------------------

  void set_failing(model_node& n, int times) {
    n.failing_inits = times;
    world_.how(n.id)->failing_inits = times;
    act("the next " + std::to_string(times) + " inits of " + n.id + " fail");
  }
  [[nodiscard]] any_ref ref_of(const model_node& n) {
    if (n.parent->dynamic) return dynamic_refs_[n.id];
    return world_.at(path_of(n));
  }
  [[nodiscard]] supervisor_ref supervisor_at(const model_node& n) {
    if (n.parent != nullptr && n.parent->dynamic) return supervisor_ref{dynamic_refs_[n.id].where()};
    return world_.app->find_supervisor(path_of(n));
  }

  void step() {
    if (!stuck_ && one_in(4)) {
      if (auto* n = pick([](const model_node& w) { return !w.is_supervisor; })) set_failing(*n, static_cast<int>(1 + roll(3)));
    }
    if (one_in(10)) {
      if (auto* n = pick([](const model_node& w) { return !w.is_supervisor; })) {
        n->ignores = !n->ignores;
        world_.how(n->id)->ignores = n->ignores;
        act(n->id + (n->ignores ? " ignores" : " does not ignore"));
      }
    }
    switch (roll(13)) {
      case 10: return resize();
      case 11: return one_in(3) && !stuck_ ? get_stuck() : end_worker(boom{}, "crash", false);
      case 12: return end_worker(end_with{exit_reason{exit_reason::custom, "final"}}, "custom", false, true);
      case 0:
      case 1:
      case 2: return end_worker(boom{}, "crash", false);
      case 3: return end_worker(end_with{exit_reason::normal}, "normal", true);
      case 4: return end_worker(end_with{exit_reason{exit_reason::custom, "done"}}, "custom", false);
      case 5: return kill();
      case 6: return stuck_ ? kill() : let_time_pass();
      case 7: return request_on_static();
      case 8: return request_on_dynamic();
      default: return end_worker(end_with{exit_reason{exit_reason::shutdown, "enough"}}, "shutdown", true);
    }
  }
  template <class M>
  void end_worker(M how, const char* word, bool clean, bool final = false) {
    auto* n = any_worker();
    if (n == nullptr) return;
    act(n->id + " ends: " + word);
    ref_of(*n).cast(std::move(how));
    model_.worker_ended(*n, word, clean, final);
  }
  void kill() {
    auto* n = pick([](const model_node& w) { return w.alive; });
    if (n == nullptr) return;
    act("kill " + n->id);
    if (n->is_supervisor) {
      if (n->parent != nullptr && n->parent->dynamic) {
        answer(supervisor_at(*n->parent).kill_child(ref_of(*n)), "");
      } else {
        static_cast<void>(world_.app->kill(path_of(*n)));
      }
      return model_.supervisor_killed(*n);
    }
    answer(supervisor_at(*n->parent).kill_child(ref_of(*n)), "");
    model_.worker_ended(*n, nullptr, false);
  }
  /// A handler that runs long: its host changes hands, and whoever ends it before it returns makes a zombie of it. The
  /// restart windows are emptied before and after, because nobody knows to the millisecond when what is done.
  void get_stuck() {
    for (const auto& n : all_)
      if (n->failing_inits > 0) return;
    auto* n = any_worker();
    if (n == nullptr) return;
    let_pass(6000);
    const auto ms = std::int64_t{one_in(3) ? 150 : one_in(2) ? 600 : 4000};
    act(n->id + " is stuck for " + std::to_string(ms) + " ms");
    ref_of(*n).cast(stall_for{std::chrono::milliseconds{ms}});
    world_.sim.run();
    n->stuck_until_ms = model_.now_ms + ms;
    const auto until = n->stuck_until_ms;
    stuck_ = true;
    if (!one_in(4)) step();
    let_pass(std::max<std::int64_t>(until - model_.now_ms, 0) + 6000);
    for (const auto& any : all_) any->stuck_until_ms = 0;
    stuck_ = false;
  }
  void resize() {
    auto* sup = pick([](const model_node& n) { return n.partitioned && n.alive; });
    if (sup == nullptr) return;
    const auto size = roll(sup->children.size() + 1);
    act("resize " + sup->id + " to " + std::to_string(size));
    const auto p = find_partition<probe>(*world_.app, path_of(*sup));
    const auto got = p.resize(size);
    answer(got, model_.resize(*sup, size) ? "" : "start_failed");
    if (got && p.partitions() != size) answer_ = "as many partitions as before take part";
  }
  void let_time_pass() {
    let_pass(static_cast<std::int64_t>(roll(3000)));
  }
  void let_pass(std::int64_t ms) {
    act(std::to_string(ms) + " ms pass");
    world_.sim.advance(std::chrono::milliseconds{ms});
    model_.now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(world_.sim.now() - begun_).count();
  }

  template <class R>
  void answer(const R& got, std::string_view wanted) {
    const std::string name{got ? std::string_view{} : got.error().name()};
    if (name != wanted) answer_ = "the answer was \"" + name + "\", wanted: \"" + std::string{wanted} + "\"";
  }

  void request_on_static() {
    auto* sup = one_in(3) ? root_.get() : pick([](const model_node& n) { return n.is_supervisor && !n.dynamic && n.alive; });
    if (sup == nullptr) sup = root_.get();
    const auto where = supervisor_at(*sup);
    if (one_in(4)) return start_on(*sup, where);
    if (sup->children.empty()) return answer(where.terminate_child("nobody"), "not_found");
    auto& child = *sup->children[roll(sup->children.size())];
    const auto keep = std::find_if(all_.begin(), all_.end(), [&](const auto& n) { return n.get() == &child; });
    REQUIRE(keep != all_.end());
    const auto id = id_of(child);
    switch (roll(3)) {
      case 0:
        act("terminate_child " + id);
        answer(where.terminate_child(id), "");
        return model_.terminate(*sup, child);
      case 1: {
        act("restart_child " + id);
        const auto got = where.restart_child(id);
        if (child.alive) return answer(got, "running");
        const auto how = model_.start_by_hand(child);
        return answer(got, how == otp_model::start_t::failed ? "start_failed" : "");
      }
      default:
        act("delete_child " + id);
        if (sup->partitioned) return answer(where.delete_child(id), "not_supported");
        answer(where.delete_child(id), child.alive ? "running" : "");
        if (!child.alive) otp_model::drop(*sup, child);
    }
  }
  void start_on(model_node& sup, const supervisor_ref& where) {
    if (sup.partitioned) return answer(where.start_child(world_.worker("one more")), "not_supported");
    if (one_in(3) && !sup.children.empty()) {
      const auto& known = *sup.children[roll(sup.children.size())];
      act("start_child " + known.id + ", which is known");
      return answer(where.start_child(world_.worker(known.id)), known.alive ? "already_started" : "already_present");
    }
    auto n = new_node(sup);
    worker_options(*n, sup);
    if (one_in(5)) set_failing(*n, 1);
    act("start_child " + n->id);
    const auto got = where.start_child(describe_worker(*n));
    sup.children.push_back(n);
    const auto how = model_.start(*n);
    answer(got, how == otp_model::start_t::failed ? "start_failed" : "");
    if (how == otp_model::start_t::failed) otp_model::drop(sup, *n);
  }
  void request_on_dynamic() {
    auto* sup = pick([](const model_node& n) { return n.dynamic && n.alive; });
    if (sup == nullptr) return;
    const auto where = supervisor_at(*sup);
    if (!sup->children.empty() && one_in(3)) {
      auto& child = *sup->children[roll(sup->children.size())];
      act("terminate " + child.id);
      answer(where.terminate_child(ref_of(child)), "");
      return model_.terminate(*sup, child);
    }
    auto n = new_node(*sup);
    if (!sup->typed) return start_any(*sup, where, n);
    n->restart = dynamic_restart(*sup);
    if (one_in(6)) set_failing(*n, 1);
    act("start_child<probe> " + n->id);
    const auto got = where.start_child<probe>({.name = n->id, .log = &world_.log, .how = world_.how(n->id)});
    if (got) dynamic_refs_[n->id] = *got;
    sup->children.push_back(n);
    const auto how = model_.start(*n);
    answer(got, how == otp_model::start_t::failed ? "start_failed" : "");
    if (how != otp_model::start_t::ok) otp_model::drop(*sup, *n);
  }

  /// A child with a spec of its own: a worker, or a whole tree.
  void start_any(model_node& sup, const supervisor_ref& where, const std::shared_ptr<model_node>& n) {
    if (one_in(3)) {
      n->is_supervisor = true;
      n->restart = static_cast<restart_t>(roll(3));
      supervisor_options(*n);
      fill(*n, 2);
    } else {
      worker_options(*n, sup);
      if (one_in(6)) set_failing(*n, 1);
    }
    act("start_child " + print(*n));
    const auto got = where.start_child(n->is_supervisor ? child_spec{describe(*n)} : describe_worker(*n));
    if (got) dynamic_refs_[n->id] = *got;
    sup.children.push_back(n);
    const auto how = model_.start(*n);
    answer(got, how == otp_model::start_t::failed ? "start_failed" : "");
    if (how != otp_model::start_t::ok) otp_model::drop(sup, *n);
  }

  // --- comparing ------------------------------------------------------------------------------------------------------

  /// The children of a dynamic supervisor end at the same time, and partitions start and end so when they are resized:
  /// their lines are compared without their order.
  [[nodiscard]] std::vector<std::string> normal(std::vector<std::string> lines) const {
    const auto dynamic_sup = [&](const std::string& line) -> const model_node* {
      const bool ends = line[0] == '-' || line[0] == '~';
      const auto id = line.substr(1, line.find(' ') - 1);
      const model_node* found = nullptr;
      for (const auto& n : all_)
        if (n->id == id)
          for (const auto* at = n.get(); at->parent != nullptr; at = at->parent)
            if ((at->parent->dynamic && ends) || at->parent->partitioned) found = at->parent;
      return found;
    };
    for (std::size_t i = 0; i < lines.size();) {
      const auto* sup = dynamic_sup(lines[i]);
      auto end = i + 1;
      while (sup != nullptr && end < lines.size() && dynamic_sup(lines[end]) == sup) ++end;
      if (sup != nullptr) std::sort(lines.begin() + static_cast<std::ptrdiff_t>(i), lines.begin() + static_cast<std::ptrdiff_t>(end));
      i = end;
    }
    return lines;
  }

  std::string compare() {
    auto& sim = world_.sim;
    sim.run();
    const auto lines = model_.trace.size() + model_.zombies.size();
    if (world_.log.size() < lines)
      static_cast<void>(sim.run_until([&] { return world_.log.size() >= lines; }, std::chrono::seconds{30}));
    sim.run();
    auto got = world_.log.lines();
    for (const auto& z : model_.zombies) {
      const auto back = std::find(got.rbegin(), got.rend(), "~" + z);
      if (back == got.rend()) return fail("the zombie " + z + " has not come back");
      got.erase(std::next(back).base());
    }
    model_.zombies.clear();
    if (normal(std::move(got)) != normal(model_.trace)) return fail("the journals differ");
    world_.log.take();
    model_.trace.clear();
    return {};
  }
  std::string compare_lists(const model_node& sup) {
    if (!sup.alive) return {};
    const auto children = supervisor_at(sup).which_children();
    if (!children) return fail("which_children of " + sup.id + ": " + children.error().to_string());
    if (children->size() != sup.children.size()) return fail(sup.id + " has another number of children");
    for (std::size_t i = 0; i < children->size(); ++i) {
      const auto& expected = *sup.children[sup.children.size() - 1 - i];
      const auto& got = (*children)[i];
      if (!sup.typed && got.id != id_of(expected)) return fail("the children of " + sup.id + " are listed in another order");
      if ((got.state == child_state_t::running) != expected.alive) return fail(expected.id + " is in another state");
      if (expected.alive && !expected.is_supervisor && !ref_of(expected)) return fail(expected.id + " cannot be found");
      if (expected.is_supervisor)
        if (auto wrong = compare_lists(expected); !wrong.empty()) return wrong;
    }
    return {};
  }
  std::string fail(const std::string& what) {
    std::string out = what + "\n  acts:";
    for (const auto& a : acts_) out.append("\n    ").append(a);
    const auto line = [&](const char* name, const std::vector<std::string>& lines) {
      out.append("\n  ").append(name).append(":");
      for (const auto& l : lines) out.append(" ").append(l);
    };
    line("wanted", model_.trace);
    line("   got", world_.log.lines());
    out.append("\n  tree: ").append(print(*root_));
    for (const auto& r : world_.reports) out.append("\n    ").append(r.to_string());
    return out;
  }
  static std::string print(const model_node& n) {
    static constexpr const char* restarts[]{"p", "t", "x"};
    std::string out = n.id + restarts[static_cast<int>(n.restart)] + (n.significant ? "!" : "") + (n.brutal ? "k" : "");
    if (!n.is_supervisor) return out;
    static constexpr const char* strategies[]{"one", "all", "rest"};
    out += "{" + std::string{n.partitioned ? "partition" : n.dynamic ? "dynamic" : strategies[static_cast<int>(n.strategy)]} + " " +
           std::to_string(n.intensity) + "/" + std::to_string(n.period_ms) + (n.auto_shutdown == never ? "" : n.auto_shutdown == any_significant ? " any" : " every") + ":";
    for (const auto& c : n.spec) out.append(" ").append(print(*c));
    return out + "}";
  }

  std::unordered_map<std::string, std::string> partition_ids_;
  bool stuck_ = false;
  world world_;
  std::mt19937_64 dice_;
  std::shared_ptr<model_node> root_;
  std::vector<std::shared_ptr<model_node>> all_;
  std::unordered_map<std::string, any_ref> dynamic_refs_;
  otp_model model_;
  std::chrono::steady_clock::time_point begun_ = world_.sim.now();
  std::vector<std::string> acts_;
  std::string answer_;
  unsigned names_ = 0;
};

}  // namespace

TEST_CASE("random trees under random misfortune do what OTP's rules say") {
  play_seeds<fuzz_run>(3000);
}
