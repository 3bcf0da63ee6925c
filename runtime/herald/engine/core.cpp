#include <herald/engine/core.hpp>

#include <algorithm>
#include <bit>
#include <thread>

#include <herald/child_spec.hpp>
#include <herald/engine/extras.hpp>

namespace herald::engine {

core::core(application_options options, std::unique_ptr<executor> runs)
    : options_{std::move(options)},
      executor_{std::move(runs)},
      clock_{options_.clock != nullptr ? options_.clock : &system_clock()},
      entropy_{options_.entropy != nullptr ? options_.entropy : &system_entropy()} {
  auto sinks = options_.sinks;
  if (sinks.empty()) sinks.push_back(log_sink());
  reports_ = std::make_unique<report_hub>(std::move(sinks), options_.simulation != nullptr);
  for (unsigned i = 0; i < options_.hosts; ++i) {
    all_.push_back(std::make_unique<host>(*this, i));
    shared_.push_back(all_.back().get());
  }
  watched_.resize(all_.size());
  for (auto* h : shared_) executor_->add(*h, false);
}

core::~core() {
  for (const auto& t : ticks_)
    if (const auto living = t.lock()) living->over();
  for (auto& h : all_) h->drop_everything();
  // Slots of hosts go with the hosts, before the application's own.
  all_.clear();
  while (!slots_.empty()) slots_.pop_back();
  reports_.reset();
  executor_.reset();
}

void core::on_root(cell&, child_event_kind kind, const exit_reason& why) {
  if (root_event) root_event(kind, why);
}

host& core::next_host() noexcept {
  return *shared_[round_robin_.fetch_add(1, std::memory_order_relaxed) % shared_.size()];
}

host& core::take_own_thread_host() {
  const std::lock_guard lock{hosts_mutex_};
  if (!spare_own_thread_.empty()) {
    auto* h = spare_own_thread_.back();
    spare_own_thread_.pop_back();
    return *h;
  }
  all_.push_back(std::make_unique<host>(*this, static_cast<std::uint32_t>(all_.size())));
  watched_.resize(all_.size());
  executor_->add(*all_.back(), true);
  return *all_.back();
}

void core::give_own_thread_host(host& h) {
  const std::lock_guard lock{hosts_mutex_};
  spare_own_thread_.push_back(&h);
}

void core::each_host(const std::function<void(host&)>& f) {
  const std::lock_guard lock{hosts_mutex_};
  for (auto& h : all_) f(*h);
}

namespace {

/// The handler that calls was left behind by the host of `c`, its own process: others may change the cell by now.
const away_record* left_behind(const runtime_entry& entry, const cell& c) noexcept {
  const auto* f = entry.any();
  return f != nullptr && entry.owned() == nullptr && f->away && f->away->of == &c ? f->away.get() : nullptr;
}

}  // namespace

std::string core::path_of(const cell& c) {
  const runtime_entry entry;
  if (const auto* away = left_behind(entry, c)) return away->path;
  return place_of(c);
}

std::string place_of(const cell& c) {
  std::string path = c.parent_path ? *c.parent_path : std::string{};
  if (c.spec == nullptr) return path;
  if (!path.empty()) path.push_back('/');
  path.append(c.spec->id);
  return path;
}

void core::tell(report::kind_t kind, const cell& who, std::uint32_t incarnation, const exit_reason& why,
                std::string text) {
  tell(report_on(kind, who, incarnation, why, std::move(text)));
}

report core::report_on(report::kind_t kind, const cell& who, std::uint32_t incarnation, const exit_reason& why,
                       std::string text) {
  report r;
  r.kind = kind;
  r.path = path_of(who);
  if (who.ops != nullptr && !who.ops->supervisor) r.process_type = who.ops->name;
  r.incarnation = incarnation;
  r.reason = why;
  if (kind == report::crashed && why.kind() == exit_reason::crash && who.crashed_on != nullptr)
    r.message_type = who.crashed_on->name;
  const runtime_entry entry;
  if (left_behind(entry, who) == nullptr) r.label = label_of(who);
  r.text = std::move(text);
  return r;
}

void core::tell(report r) {
  r.when = clock_->wall();
  reports_->tell(std::move(r));
}

void core::count_dead_letter(const envelope& e, discard_reason why) noexcept {
  static constexpr std::string_view words[]{"there is no such process", "its mailbox or inbox is full",
                                            "it is being restarted",    "it crashed twice in a row on this type",
                                            "the application is stopped", "it accepts no message of this type",
                                            "it was meant for an earlier life", "the process ended"};
  // What a life goes on with is its own affair, and ends with it.
  if (why == discard_reason::stale || e.ops->kind == envelope_kind::continued || e.ops->type->wake_up) return;
  const auto count = dead_letters_.by_reason[static_cast<std::size_t>(why)].fetch_add(1, std::memory_order_relaxed) + 1;
  try {
    if (stream_.wanted()) stream_.note(e, why);
    if (!std::has_single_bit(count)) return;
    report r;
    r.kind = report::dead_letter;
    // The cell may belong to another host just now: only what never changes in it is read.
    r.text = "a message of type " + std::string{e.ops->type->name} + " was not delivered: " +
             std::string{words[static_cast<std::size_t>(why)]} + " (the " + std::to_string(count) + ". of this kind)";
    tell(std::move(r));
  } catch (...) {
    // Out of memory while telling of a lost message: the count has it.
  }
}

void core::count_unknown(const envelope& e, const cell& c, bool owner) noexcept {
  dead_letters_.by_reason[static_cast<std::size_t>(discard_reason::unhandled)].fetch_add(1, std::memory_order_relaxed);
  try {
    if (stream_.wanted()) stream_.note(e, discard_reason::unhandled);
    {
      const std::lock_guard lock{unknown_mutex_};
      if (!unknown_.emplace(c.ops, e.ops->type).second) return;
    }
    report r;
    r.kind = report::dead_letter;
    if (owner) r.path = path_of(c);
    r.process_type = c.ops->name;
    r.text = "a message of type " + std::string{e.ops->type->name} + " was not delivered: a process of type " +
             std::string{c.ops->name} + " accepts none of it, and has no on_unknown (told once for these types)";
    tell(std::move(r));
  } catch (...) {
    // Out of memory while telling of a lost message: the count has it.
  }
}

void core::end_delivery() noexcept {
  ended_.store(true, std::memory_order_release);
  for (auto& h : all_) h->drop_everything();
}

void core::close() {
  if (closing_.exchange(true)) return;
  const std::shared_lock lock{slots_mutex_};
  for (auto& [key, s] : slots_) s->closing();
}

core_slot& core::slot(const void* key, const std::function<std::unique_ptr<core_slot>()>& make) {
  if (auto* found = slot_if(key)) return *found;
  const std::unique_lock lock{slots_mutex_};
  for (auto& [k, s] : slots_)
    if (k == key) return *s;
  slots_.emplace_back(key, make());
  return *slots_.back().second;
}

std::vector<std::string> core::end_slots() {
  std::vector<core_slot*> all;
  {
    const std::shared_lock lock{slots_mutex_};
    for (auto& [k, s] : slots_) all.push_back(s.get());
  }
  std::vector<std::string> stuck;
  for (auto* s : all)
    for (auto& name : s->ending()) stuck.push_back(std::move(name));
  return stuck;
}

core_slot* core::slot_if(const void* key) noexcept {
  const std::shared_lock lock{slots_mutex_};
  for (auto& [k, s] : slots_)
    if (k == key) return s.get();
  return nullptr;
}

void core::each_tick(std::weak_ptr<ticking> what) {
  const std::lock_guard lock{ticks_mutex_};
  std::erase_if(ticks_, [](const auto& t) { return t.expired(); });
  ticks_.push_back(std::move(what));
}

void core::tick() {
  stream_.tick();
  std::vector<std::shared_ptr<ticking>> living;
  {
    const std::lock_guard lock{ticks_mutex_};
    for (const auto& t : ticks_)
      if (auto one = t.lock()) living.push_back(std::move(one));
  }
  for (const auto& t : living) t->tick();
}

}  // namespace herald::engine
