#include <herald/engine/survey_desk.hpp>

#include <algorithm>
#include <optional>
#include <unordered_map>

#include <herald/engine/core.hpp>

namespace herald::engine {

namespace {
constexpr std::size_t cells_a_step = 2048;  ///< some 50 us
constexpr std::size_t cells_a_simulated_step = 2;  ///< so that much happens in between
}  // namespace

/// A survey of one host as a host operation.
struct survey_node final : envelope {
  survey_node(std::shared_ptr<survey_desk> for_desk, std::size_t number)
      : envelope{node_ops, address{}}, desk{std::move(for_desk)}, part{number} {}
  std::shared_ptr<survey_desk> desk;
  std::size_t part;
  std::optional<survey> looking;
  std::chrono::steady_clock::duration longest{0};

  static void run(envelope* e, cell*, frame& f) {
    auto& self = *static_cast<survey_node*>(e);
    auto& h = *f.home;
    if (!self.looking) {
      auto& looked_at = self.desk->looked_at_[self.part];
      if (looked_at != 0 || self.desk->closed_.load(std::memory_order_relaxed)) return end(self, h);
      looked_at = 1;
      self.looking.emplace(h);
      h.begin_survey(&*self.looking);
    }
    const bool simulated = h.system().options().simulation != nullptr;
    const auto begin = h.now();
    const bool through = self.looking->step(simulated ? cells_a_simulated_step : cells_a_step);
    self.longest = std::max(self.longest, h.now() - begin);
    if (!through) return;
    auto view = self.looking->take();
    view.about.longest_step = std::chrono::duration_cast<std::chrono::microseconds>(self.longest);
    const auto desk = self.desk;
    const auto part = self.part;
    end(self, h);
    desk->hand_in(part, std::move(view));
  }
  static void end(survey_node& self, host& h) {
    self.looking.reset();
    h.finish_operation();
    free_node(&self);
  }
  static void discard(envelope* e, discard_reason, const exit_reason*) noexcept {
    auto* self = static_cast<survey_node*>(e);
    const auto desk = std::move(self->desk);
    const auto part = self->part;
    self->looking.reset();
    free_node(self);
    desk->give_up(part);
  }
  static constexpr envelope_ops node_ops{run, nullptr, discard, nullptr, &tag_of<survey_node>, envelope_kind::notice};
};

survey_desk::survey_desk(core& system) : system_{system}, taken_{system.time().now()} {}

survey_desk::~survey_desk() {
  if (thread_ != nullptr) thread_->release();
}

void survey_desk::answer_to(waiter_for<bool>& thread) {
  thread.retain();
  thread_ = &thread;
}

void survey_desk::begin(frame* owned) {
  system_.each_host([&](host& h) { homes_.push_back(&h); });
  const auto count = homes_.size();
  left_ = count;
  parts_.resize(count);
  looked_at_.resize(count, 0);
  const bool ended = system_.ended();
  for (std::size_t i = 0; i < count; ++i) {
    if (ended) {
      give_up(i);
    } else {
      homes_[i]->post_operation(make_node<survey_node>(shared_from_this(), i), owned);
    }
  }
}

void survey_desk::hand_in(std::size_t part, host_view view) {
  {
    const std::lock_guard lock{mutex_};
    if (closed_.load(std::memory_order_relaxed) || parts_[part].there) return;
    parts_[part].view = std::move(view);
    parts_[part].there = true;
    if (--left_ != 0) return;
  }
  answer();
}

void survey_desk::give_up(std::size_t part) {
  {
    const std::lock_guard lock{mutex_};
    if (closed_.load(std::memory_order_relaxed) || parts_[part].there) return;
    if (--left_ != 0) return;
  }
  answer();
}

void survey_desk::answer() {
  if (thread_ != nullptr) thread_->set(true);
  reply_once<bool> reply;
  {
    const std::lock_guard lock{mutex_};
    reply = std::move(reply_);
  }
  if (reply.owed()) reply.answer(true);
}

void survey_desk::look_from_outside() {
  for (std::size_t i = 0; i < homes_.size(); ++i) {
    auto& h = *homes_[i];
    {
      const std::lock_guard lock{mutex_};
      if (closed_.load(std::memory_order_relaxed) || parts_[i].there) continue;
    }
    std::optional<host_view> seen;
    const auto look = [&](frame& f) {
      // A survey of ours that has begun is of an earlier instant; its own runner will finish it in vain.
      looked_at_[i] = 1;
      survey now{h, f.current};
      while (!now.step(cells_a_step)) {
      }
      seen = now.take();
    };
    if (h.peek(look)) hand_in(i, std::move(*seen));
  }
}

snapshot survey_desk::close() {
  std::vector<part_t> parts;
  {
    const std::lock_guard lock{mutex_};
    closed_.store(true, std::memory_order_relaxed);
    parts.swap(parts_);
  }
  snapshot all;
  all.when = system_.time().wall();
  all.taken = taken_;
  join(all, parts);
  const std::lock_guard lock{system_.zombie_mutex};
  all.zombies = system_.zombie_paths;
  return all;
}

namespace {

handler_times figures_of(const time_histogram& h) {
  handler_times t;
  t.process_type = h.type != nullptr ? h.type->name : "(others)";
  t.samples = h.samples;
  if (h.samples != 0) t.mean = std::chrono::nanoseconds{h.sum / h.samples};
  t.p50 = std::chrono::nanoseconds{h.below(0.5)};
  t.p99 = std::chrono::nanoseconds{h.below(0.99)};
  t.longest = std::chrono::nanoseconds{h.longest};
  return t;
}

void add_times(std::vector<time_histogram>& all, const std::vector<time_histogram>& more) {
  for (const auto& h : more) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& a) { return a.type == h.type; });
    if (found != all.end()) {
      found->add(h);
    } else {
      all.push_back(h);
    }
  }
}

}  // namespace

void survey_desk::join(snapshot& all, std::vector<part_t>& parts) const {
  std::size_t rows = 0;
  std::size_t bytes = 0;
  for (const auto& p : parts) {
    rows += p.view.rows.size();
    bytes += p.view.text.size();
  }
  all.processes.reserve(rows);
  auto& text = all.text_;
  text.reserve(bytes);
  std::unordered_map<const cell*, std::uint32_t> supervisors;
  std::vector<time_histogram> times;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto& p = parts[i];
    const auto host_index = static_cast<std::uint32_t>(all.hosts.size());
    const auto first = static_cast<std::uint32_t>(all.processes.size());
    const auto shift = static_cast<std::uint32_t>(text.size());
    if (!p.there) {
      auto& about = all.hosts.emplace_back();
      about.number = homes_[i]->number();
      about.own_thread = homes_[i]->dedicated;
      about.answered = false;
      about.inbox = homes_[i]->inbox_depth();
      about.control = homes_[i]->control_depth();
      about.handled = homes_[i]->handled();
      continue;
    }
    all.hosts.push_back(p.view.about);
    add_times(times, p.view.times);
    time_histogram of_host;
    for (const auto& h : p.view.times) of_host.add(h);
    all.hosts.back().times = figures_of(of_host);
    all.hosts.back().times.process_type = {};
    for (auto& row : p.view.rows) {
      row.host = host_index;
      row.text_ += shift;
      if (row.supervisor) supervisors.emplace(row.who.where().cell, static_cast<std::uint32_t>(all.processes.size()));
      all.processes.push_back(row);
    }
    text.append(p.view.text);
    for (auto h : p.view.running) {
      h.process += first;
      all.running.push_back(h);
    }
  }
  for (const auto& h : times) all.times.push_back(figures_of(h));
  std::size_t at = 0;
  const cell* last = nullptr;
  auto last_row = process_row::no_parent;
  for (const auto& p : parts)
    for (const auto& parent : p.view.parents) {
      if (parent.cell != last) {
        last = parent.cell;
        const auto found = supervisors.find(last);
        last_row = found != supervisors.end() ? found->second : process_row::no_parent;
      }
      auto& row = all.processes[at++];
      if (last_row != process_row::no_parent && all.processes[last_row].who.where() == parent) row.parent = last_row;
    }
}

}  // namespace herald::engine
