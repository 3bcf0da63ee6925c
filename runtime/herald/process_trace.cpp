#include <herald/process_trace.hpp>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <utility>

#include <herald/engine/core.hpp>
#include <herald/engine/operation.hpp>
#include <herald/engine/path_lookup.hpp>
#include <herald/engine/tracer.hpp>

namespace herald::engine {

namespace {
constexpr std::size_t max_gathered = 65'536;
}

tracer::tracer(core& system, address who, trace_sink sink, trace_options options)
    : system_{system}, who_{who}, sink_{std::move(sink)}, options_{options} {}

void tracer::begin() {
  system_.each_tick(shared_from_this());
  const runtime_entry entry;
  post_control(who_, entry.owned(), [me = shared_from_this()](cell* c, frame&) {
    if (me->closed_.load(std::memory_order_relaxed)) return;
    auto hook = std::make_unique<trace_hook>(me);
    me->hook_ = hook.get();
    add_hook(*c, std::move(hook));
  });
}

void tracer::unhook() noexcept {
  const runtime_entry entry;
  post_control(who_, entry.owned(), [me = shared_from_this()](cell* c, frame&) {
    if (me->hook_ != nullptr) remove_hook(*c, me->hook_);
  });
}

void tracer::close() noexcept {
  sink_.close();
  if (!closed_.exchange(true) && !system_.ended()) unhook();
}

void tracer::note(trace_event::kind_t kind, const envelope& e, address peer, std::chrono::nanoseconds time) {
  if (closed_.load(std::memory_order_relaxed)) return;
  const auto now = system_.time().now();
  if (now - second_ >= std::chrono::seconds{1}) {
    second_ = now;
    this_second_ = 0;
  }
  if (++this_second_ > options_.per_second) {
    ++skipped_;
    return;
  }
  trace_event event;
  event.kind = kind;
  event.when = system_.time().wall();
  event.time = time;
  event.message = e.ops->type->name;
  event.peer = any_ref{peer};
  event.skipped = std::exchange(skipped_, 0);
  const bool last = ++told_ >= options_.limit;
  {
    const std::lock_guard lock{mutex_};
    if (gathered_.size() < max_gathered) {
      gathered_.push_back(std::move(event));
    } else {
      ++skipped_;
    }
  }
  if (system_.options().simulation != nullptr) tick();
  if (last && !closed_.exchange(true)) unhook();
}

void tracer::tick() {
  std::vector<trace_event> batch;
  {
    const std::lock_guard lock{mutex_};
    if (looking_up_ || gathered_.empty()) return;
    batch.swap(gathered_);
    looking_up_ = true;
  }
  std::vector<address> peers;
  for (const auto& e : batch)
    if (e.peer && std::find(peers.begin(), peers.end(), e.peer.where()) == peers.end()) peers.push_back(e.peer.where());
  const auto asked = peers;
  look_up_paths(system_, std::move(peers), [me = shared_from_this(), asked, batch = std::move(batch)](std::vector<std::string> paths) mutable {
    for (auto& e : batch)
      if (const auto found = std::find(asked.begin(), asked.end(), e.peer.where()); found != asked.end())
        e.peer_path = paths[static_cast<std::size_t>(found - asked.begin())];
    if (me->system_.options().simulation != nullptr) return me->hand_out(std::move(batch));
    me->system_.reports().later([me, batch = std::move(batch)]() mutable { me->hand_out(std::move(batch)); });
  });
}

void tracer::hand_out(std::vector<trace_event> batch) {
  for (const auto& e : batch)
    if (!sink_(e)) break;
  const std::lock_guard lock{mutex_};
  looking_up_ = false;
}

namespace {
address sender_of(const envelope& e) noexcept { return {e.from, e.from != nullptr ? e.from_generation : 0}; }
}  // namespace

void trace_hook::arrived(const cell&, const envelope& e) noexcept { tracer_->note(trace_event::received, e, sender_of(e)); }

void trace_hook::before(cell&, frame& f, const envelope& e) noexcept {
  f.traced = this;
  from_ = sender_of(e);
  begun_ = f.home->now();
  tracer_->note(trace_event::handling, e, from_);
}

void trace_hook::after(cell&, frame& f, const envelope& e) noexcept {
  f.traced = nullptr;
  tracer_->note(trace_event::handled, e, from_, f.home->now() - begun_);
}

void trace_hook::sent(const envelope& e) noexcept { tracer_->note(trace_event::sent, e, {e.to, e.generation}); }

void trace_sent(frame& f, const envelope& e) noexcept { f.traced->sent(e); }

}  // namespace herald::engine

namespace herald {

sink_handle trace(const any_ref& who, trace_sink sink, trace_options options) {
  if (!who) return {};
  auto t = std::make_shared<engine::tracer>(engine::system_of(*who.where().cell), who.where(), std::move(sink), options);
  t->begin();
  return sink_handle{std::move(t)};
}

std::string_view name_of(trace_event::kind_t kind) noexcept {
  switch (kind) {
    case trace_event::received: return "received";
    case trace_event::handling: return "handling";
    case trace_event::handled: return "handled";
    case trace_event::sent: return "sent";
  }
  return "?";
}

std::string trace_event::to_string() const {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(when.time_since_epoch()).count();
  const std::time_t seconds = us / 1'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char clock[32];
  std::snprintf(clock, sizeof clock, "%02d:%02d:%02d.%06d ", parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>(us % 1'000'000));
  auto line = clock + std::string{name_of(kind)} + " " + std::string{message};
  if (peer) line += (kind == sent ? " to " : " from ") + (peer_path.empty() ? std::string{"(gone)"} : peer_path);
  if (kind == handled) line += " in " + std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(time).count()) + " us";
  if (skipped != 0) line += " (" + std::to_string(skipped) + " left out before)";
  return line;
}

}  // namespace herald
