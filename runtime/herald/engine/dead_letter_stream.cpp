#include <herald/engine/dead_letter_stream.hpp>

#include <algorithm>
#include <utility>

#include <herald/application.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/path_lookup.hpp>

namespace herald::engine {

std::size_t dead_letter_stream::key_hash::operator()(const key& k) const noexcept {
  const auto mix = [](std::size_t h, const void* p) { return (h ^ reinterpret_cast<std::uintptr_t>(p) >> 4) * 0x9e3779b97f4a7c15u; };
  return mix(mix(mix(static_cast<std::size_t>(k.why), k.from.cell), k.to.cell), k.type);
}

sink_handle dead_letter_stream::add(dead_letter_sink sink) {
  auto slot = std::make_shared<sink_slot<herald::dead_letter>>(std::move(sink));
  const std::lock_guard lock{mutex_};
  sinks_.push_back(slot);
  wanted_.store(true, std::memory_order_relaxed);
  return sink_handle{std::move(slot)};
}

void dead_letter_stream::note(const envelope& e, discard_reason why) {
  herald::dead_letter d;
  d.from = any_ref{{e.from, e.from_generation}};
  d.to = any_ref{{e.to, e.generation}};
  d.type = e.ops->type->name;
  d.reason = why;
  d.when = system_.time().wall();
  if (system_.options().simulation != nullptr) return send_on(std::move(d));
  const std::lock_guard lock{mutex_};
  const key k{d.from.where(), d.to.where(), e.ops->type, why};
  if (const auto found = gathered_.find(k); found != gathered_.end()) {
    ++found->second.count;
  } else if (gathered_.size() < max_different) {
    gathered_.emplace(k, std::move(d));
  } else {
    ++nameless_;
  }
}

void dead_letter_stream::tick() {
  if (!wanted()) return;
  decltype(gathered_) batch;
  std::uint64_t nameless = 0;
  {
    const std::lock_guard lock{mutex_};
    batch.swap(gathered_);
    nameless = std::exchange(nameless_, 0);
  }
  for (auto& [k, d] : batch) send_on(std::move(d));
  if (nameless == 0) return;
  herald::dead_letter d;
  d.count = nameless;
  d.type = "(others)";
  d.when = system_.time().wall();
  send_on(std::move(d));
}

void dead_letter_stream::send_on(herald::dead_letter d) {
  std::vector<address> of{d.from.where(), d.to.where()};
  look_up_paths(system_, std::move(of), [this, d = std::move(d)](std::vector<std::string> paths) mutable {
    d.from_path = std::move(paths[0]);
    d.to_path = std::move(paths[1]);
    if (system_.options().simulation != nullptr) return hand_out(d);
    system_.reports().later([this, d = std::move(d)] { hand_out(d); });
  });
}

void dead_letter_stream::hand_out(const herald::dead_letter& d) {
  std::vector<std::shared_ptr<sink_slot<herald::dead_letter>>> sinks;
  {
    const std::lock_guard lock{mutex_};
    sinks = sinks_;
  }
  bool closed = false;
  for (const auto& s : sinks) closed = !(*s)(d) || closed;
  if (!closed) return;
  const std::lock_guard lock{mutex_};
  std::erase_if(sinks_, [&](const auto& s) { return !s->open(); });
  if (sinks_.empty()) wanted_.store(false, std::memory_order_relaxed);
}

}  // namespace herald::engine

namespace herald {

std::string_view name_of(dead_letter_reason why) noexcept {
  using enum engine::discard_reason;
  switch (why) {
    case noproc: return "noproc";
    case overflow: return "overflow";
    case restarting: return "restarting";
    case poison: return "poison";
    case closed: return "closed";
    case unhandled: return "unhandled";
    case stale: return "stale";
    case down: return "down";
    default: return "?";
  }
}

std::string dead_letter::to_string() const {
  const auto place = [](const any_ref& who, const std::string& path) {
    if (!path.empty()) return path;
    return std::string{who ? "(gone)" : "(no process)"};
  };
  return std::to_string(count) + " x " + std::string{type} + " from " + place(from, from_path) + " to " +
         place(to, to_path) + ": " + std::string{name_of(reason)};
}

sink_handle application::on_dead_letters(dead_letter_sink sink) { return inside().dead_letter_sinks().add(std::move(sink)); }

}  // namespace herald
