// Misfortune that does not wait for the last one to be dealt with: bursts of crashes, kills, stalls, requests, all at
// once, over random trees. Nobody can say beforehand who ends when; what must hold whatever the order is checked.
// HERALD_SEED runs one seed, HERALD_SEEDS sets how many.

#include <map>
#include <random>

#include "fuzz_seeds.hpp"
#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

struct talk {
  int first = 0;
};

/// Sends numbered notes to its peers; crashes now and then right after.
struct talker : process<talker, talk> {
  struct args {
    std::vector<std::string> peers;
  };
  talker(context& self, const args& a) : self_{self}, peers_{a.peers} {}
  void on(const talk& m) {
    for (const auto& p : peers_)
      if (const auto to = self_.find<probe>(p)) {
        to.cast(note{m.first});
        to.cast(note{m.first + 1});
      }
    if (m.first % 6 == 0) throw std::runtime_error{"hoarse"};
  }

 private:
  context& self_;
  std::vector<std::string> peers_;
};

struct group {
  std::string path;
  strategy_t strategy = one_for_one;
  std::vector<std::string> workers;
};

class burst_run {
 public:
  explicit burst_run(std::uint64_t seed) : world_{seed}, dice_{seed * 31 + 7} {
    supervisor root{.name = "root", .intensity = {1'000'000, 5s}};
    const auto groups = 1 + roll(3);
    for (std::uint64_t g = 0; g < groups; ++g) root.children.push_back(make_group("g" + std::to_string(g), ""));
    std::vector<std::string> peers;
    for (const auto& g : groups_)
      for (const auto& w : g.workers) peers.push_back(g.path + "/" + w);
    root.children.push_back(child<talker>("talker", {peers}, {.placement = spread}));
    world_.start(root);
  }

  std::string play() {
    const auto bursts = 3 + roll(6);
    for (std::uint64_t b = 0; b < bursts; ++b) {
      burst();
      if (auto wrong = settle(); !wrong.empty()) return wrong;
    }
    if (roll(2) == 0) return stop_amid();
    const auto end = world_.app->stop();
    if (!end.zombies.empty()) return "there are zombies after all handlers have returned";
    return check_lives(true, {});
  }

 private:
  std::uint64_t roll(std::uint64_t sides) { return dice_() % sides; }

  void burst() {
    const auto acts = 1 + roll(6);
    for (std::uint64_t i = 0; i < acts; ++i) {
      act();
      world_.sim.step(roll(8));
      if (roll(4) == 0) world_.sim.advance(std::chrono::milliseconds{roll(150)});
    }
  }
  /// The end may come at any moment: in the middle of restarts, slow inits, stuck handlers.
  std::string stop_amid() {
    burst();
    const auto before = world_.sim.now();
    const auto end = world_.app->stop();
    // Each within its shutdown limit of 400 ms, one after the other; a stuck host changes hands within some 200 ms.
    const auto limit = (names_ + 2) * 700ms;
    if (world_.sim.now() - before > limit) return "the stop took longer than all limits together";
    if (!world_.app->ended()) return "it was stopped and has not ended";
    return check_lives(true, end.zombies);
  }

  supervisor make_group(const std::string& name, const std::string& above) {
    const auto path = above.empty() ? name : above + "/" + name;
    supervisor s{.name = name, .strategy = static_cast<strategy_t>(roll(3)), .intensity = {1'000'000, 5s}};
    group g{path, s.strategy, {}};
    const auto workers = 2 + roll(3);
    for (std::uint64_t i = 0; i < workers; ++i) {
      const auto id = "w" + std::to_string(++names_);
      g.workers.push_back(id);
      child_options o;
      o.placement = placement_t{static_cast<placement_t::kind_t>(roll(4)), roll(10)};
      if (roll(4) == 0) o.backoff = {std::chrono::milliseconds{1 + roll(50)}, 200ms, 0.5};
      if (roll(3) == 0) o.start_timeout = 300ms;
      o.shutdown = 400ms;
      s.children.push_back(world_.worker(id, o));
    }
    groups_.push_back(g);
    if (above.empty() && roll(2) == 0) s.children.push_back(make_group("in" + name, path));
    return s;
  }
  std::string any_path() {
    const auto& g = groups_[roll(groups_.size())];
    return g.path + "/" + g.workers[roll(g.workers.size())];
  }

  void act() {
    const auto path = any_path();
    const auto id = path.substr(path.rfind('/') + 1);
    const auto above = world_.app->find_supervisor(path.substr(0, path.rfind('/')));
    const auto to = world_.at(path);
    switch (roll(11)) {
      case 0:
      case 1: return to.cast(boom{});
      case 2: return to.cast(end_with{exit_reason::normal});
      case 3: return to.cast(stall_for{std::chrono::milliseconds{roll(1000)}});
      case 4: return static_cast<void>(world_.app->kill(path));
      case 5: return static_cast<void>(world_.app->kill(groups_[roll(groups_.size())].path));
      case 6: world_.how(id)->failing_inits = static_cast<int>(1 + roll(4)); return to.cast(boom{});
      case 7: world_.how(id)->init_stall = std::chrono::milliseconds{roll(500)}; return to.cast(boom{});
      case 8: world_.how(id)->terminate_stall = std::chrono::milliseconds{roll(600)}; return;
      case 9:
        // Not answered within its limit is fine, too: the supervisor may be occupied.
        static_cast<void>(above.terminate_child(id, std::chrono::milliseconds{roll(300)}));
        terminated_.push_back(path);
        ever_requested_.push_back(path);
        return;
      default: {
        talked_ += 2;
        return world_.app->find<talker>("talker").cast(talk{talked_});
      }
    }
  }

  /// Waits until everything has come to rest, and looks.
  std::string settle() {
    for (const auto& g : groups_)
      for (const auto& w : g.workers) {
        auto& how = *world_.how(w);
        how.failing_inits = 0;
        how.init_stall = how.terminate_stall = 0s;
      }
    world_.sim.advance(10s);
    for (const auto& path : std::exchange(terminated_, {}))
      static_cast<void>(world_.app->find_supervisor(path.substr(0, path.rfind('/'))).restart_child(path.substr(path.rfind('/') + 1)));
    world_.sim.advance(10s);
    if (world_.app->ended()) return "the application ended";
    for (const auto& g : groups_) {
      const auto s = world_.app->find_supervisor(g.path);
      const auto c = s.count_children();
      if (!c) return g.path + " does not answer: " + c.error().to_string();
      if (c->active != c->specs) return g.path + " has children that are not up";
      for (const auto& w : g.workers)
        if (world_.life_of(g.path + "/" + w) == 0) return g.path + "/" + w + " does not answer";
    }
    return check_lives(false, {});
  }

  /// What the journal must look like in any case.
  [[nodiscard]] std::string check_lives(bool over, const std::vector<std::string>& zombies) const {
    std::map<std::string, int> alive;
    std::map<std::string, std::size_t> last_start;
    std::map<std::string, int> heard;
    const auto lines = world_.log.lines();
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const auto& l = lines[i];
      const auto id = l.substr(1, l.find(' ') - 1);
      if (l[0] == '+') {
        ++alive[id];
        last_start[id] = i;
      } else if (l[0] == '~') {
        if (--alive[id] < 0) return id + " was destroyed more often than made";
      } else if (l[0] == 'w') {
        const auto colon = l.find(':');
        const auto number = std::stoi(l.substr(colon + 1));
        auto& last = heard[l.substr(0, colon)];
        if (number <= last) return l + " came after " + std::to_string(last);
        last = number;
      }
    }
    const auto zombie = [&](const std::string& id) {
      return std::any_of(zombies.begin(), zombies.end(), [&](const auto& path) { return path.ends_with("/" + id); });
    };
    for (const auto& [id, n] : alive)
      if (n != (over ? 0 : 1) && !zombie(id)) return id + " has " + std::to_string(n) + " lives";
    if (over) return {};  // a group may have been stopped half way
    // Under both group strategies a child runs at least as freshly as those before it.
    for (const auto& g : groups_)
      for (std::size_t i = 1; g.strategy != one_for_one && !out_of_order(g) && i < g.workers.size(); ++i)
        if (last_start[g.workers[i]] < last_start[g.workers[i - 1]]) return g.workers[i] + " is older than its elder sibling";
    return {};
  }
  /// terminate_child and restart_child act on one child alone; a zombie's init still writes when it comes back.
  [[nodiscard]] bool out_of_order(const group& g) const {
    if (std::any_of(world_.reports.begin(), world_.reports.end(),
                    [&](const report& r) { return r.kind == report::zombie && r.path.starts_with(g.path); }))
      return true;
    return std::any_of(ever_requested_.begin(), ever_requested_.end(), [&](const auto& p) { return p.starts_with(g.path); });
  }

  world world_;
  std::mt19937_64 dice_;
  std::vector<group> groups_;
  std::vector<std::string> terminated_;
  std::vector<std::string> ever_requested_;
  unsigned names_ = 0;
  int talked_ = 0;
};

}  // namespace

TEST_CASE("trees under many misfortunes at once come to rest, complete and in order") {
  play_seeds<burst_run>(500);
}

TEST_CASE("a handler that was left behind, and stands still, may see its host taken once more") {
  CHECK(burst_run{7467}.play().empty());
}
