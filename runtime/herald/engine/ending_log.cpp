#include <herald/engine/ending_log.hpp>

#include <algorithm>

#include <herald/application.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/operation.hpp>

namespace herald::engine {

namespace {

constexpr std::size_t looked_at = 4096;

bool comes_first(const alive_process& left, const alive_process& right) {
  if (left.stuck != right.stuck) return left.stuck;
  if (left.mailbox != right.mailbox) return left.mailbox > right.mailbox;
  return left.path < right.path;
}

}  // namespace

ending_log::ending_log() = default;
ending_log::~ending_log() = default;

void ending_log::begin(core& system) {
  system.each_host([&](host& h) {
    post_control(h, nullptr, [log = shared_from_this()](cell*, frame& by) { log->look_at(*by.home); });
  });
}

void ending_log::look_at(host& h) {
  std::vector<const cell*> found;
  h.each_ready(looked_at, [&](const cell& c) {
    if (c.status != cell_status::free) found.push_back(&c);
  });
  std::size_t left = looked_at;
  for (std::size_t i = 0; i < h.cells().chunks() && left != 0; ++i) {
    const auto& chunk = h.cells().chunk(i);
    for (std::size_t k = 0; k < chunk.count && left != 0; ++k, --left) {
      const auto* c = reinterpret_cast<const cell*>(chunk.memory + k * chunk.stride);
      if (c->status != cell_status::free && !c->ready) found.push_back(c);
    }
  }
  const auto depth = [](const cell* c) { return c->depth.load(std::memory_order_relaxed); };
  const auto stuck = [](const cell* c) { return (c->busy & busy_away) != 0; };
  const auto kept = std::min(found.size(), stop_report::max_listed);
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(kept), found.end(), [&](const cell* a, const cell* b) {
    return stuck(a) != stuck(b) ? stuck(a) : depth(a) > depth(b);
  });
  found.resize(kept);
  const std::lock_guard lock{mutex_};
  alive_ += h.living();
  for (const auto* c : found) listed_.push_back({core::path_of(*c), c->incarnation, depth(c), stuck(c)});
  std::sort(listed_.begin(), listed_.end(), comes_first);
  if (listed_.size() > stop_report::max_listed) listed_.resize(stop_report::max_listed);
}

void ending_log::slow(std::string path, std::chrono::milliseconds took) {
  const std::lock_guard lock{mutex_};
  const auto at = std::upper_bound(slow_.begin(), slow_.end(), took, [](auto time, const auto& s) { return time > s.first; });
  slow_.insert(at, {took, std::move(path)});
  if (slow_.size() > stop_report::max_listed) slow_.pop_back();
}

void ending_log::fill(stop_report& report) const {
  const std::lock_guard lock{mutex_};
  report.alive = alive_;
  report.listed = listed_;
  for (const auto& [took, path] : slow_) report.slow.push_back({path, took});
}

}  // namespace herald::engine

namespace herald {

std::string stop_report::to_string() const {
  std::string out = "stopped (" + reason.to_string() + (gave_up ? ", gave up" : "") + ") in " + std::to_string(took.count()) +
                    " ms; " + std::to_string(alive) + " processes were alive";
  for (const auto& p : listed)
    if (p.mailbox != 0 || p.stuck)
      out += "\n  " + p.path + "#" + std::to_string(p.incarnation) + ": " + std::to_string(p.mailbox) + " messages waited" +
             (p.stuck ? ", stuck" : "");
  for (const auto& s : slow) out += "\n  slow: " + s.path + " took " + std::to_string(s.took.count()) + " ms to end";
  for (const auto& p : shutdown.phases)
    out += "\n  phase " + p.name + ": " + std::to_string(p.took.count()) + " ms" + (p.timed_out ? ", timed out" : "");
  for (const auto& f : shutdown.failures) out += "\n  failed: " + f.phase + "/" + f.task + ": " + f.why;
  for (const auto& z : zombies) out += "\n  still running: " + z;
  return out;
}

}  // namespace herald
