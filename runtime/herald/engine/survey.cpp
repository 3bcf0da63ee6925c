#include <herald/engine/survey.hpp>

#include <algorithm>

#include <herald/child_spec.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/extras.hpp>

namespace herald::engine {

namespace {

constexpr std::size_t ahead = 12;  ///< cells between a prefetch and its use

std::chrono::milliseconds since(time_point then, time_point now) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(now - then);
}

std::string_view word_of(user_phase phase) noexcept {
  switch (phase) {
    case user_phase::init: return "init";
    case user_phase::frames: return "end of a handler that waited";
    case user_phase::terminate: return "terminate";
    case user_phase::destroy: return "destructor";
    case user_phase::handler: break;
  }
  return {};
}

}  // namespace

survey::survey(host& h, const cell* running) : host_{h}, running_{running}, now_{h.now()}, chunks_{h.cells().chunks()} {
  auto& about = view_.about;
  about.number = h.number();
  about.own_thread = h.dedicated;
  about.inbox = h.inbox_depth();
  about.control = h.control_depth();
  about.timers = static_cast<std::uint32_t>(h.timers());
  about.handled = h.handled();
  about.from_outside = running != nullptr;
  if (h.times() != nullptr) view_.times = h.times()->all();
}

survey::~survey() {
  if (host_.surveyed() == this) host_.begin_survey(nullptr);
}

bool survey::step(std::size_t count) {
  if (view_.rows.capacity() == 0) {
    view_.rows.reserve(host_.living());
    view_.parents.reserve(host_.living());
  }
  for (; chunk_ < chunks_; ++chunk_, place_ = 0) {
    const auto& chunk = host_.cells().chunk(chunk_);
    const auto at = [&](std::size_t i) { return reinterpret_cast<const cell*>(chunk.memory + i * chunk.stride); };
    for (; place_ < chunk.count; ++place_) {
      if (count-- == 0) return false;
      if (place_ + ahead < chunk.count) {
        const auto* soon = reinterpret_cast<const char*>(at(place_ + ahead));
        for (std::size_t line = 0; line < sizeof(cell); line += 64) __builtin_prefetch(soon + line);
        if (const auto* spec = at(place_ + ahead / 2)->spec.get(); spec != last_spec_) __builtin_prefetch(spec);
      }
      const auto& c = *at(place_);
      if (!early_.empty() && early_.contains(&c)) continue;
      see(c);
    }
  }
  view_.about.processes = static_cast<std::uint32_t>(view_.rows.size());
  return true;
}

void survey::before_change(cell& c) {
  if (passed(c) || !early_.insert(&c).second) return;
  see(c);
}

/// The cursor has been at this cell, or it lies in a chunk that is younger than the instant.
bool survey::passed(const cell& c) {
  const auto* where = reinterpret_cast<const std::byte*>(&c);
  if (order_.empty()) {
    for (std::size_t i = 0; i < chunks_; ++i) order_.emplace_back(host_.cells().chunk(i).memory, i);
    std::sort(order_.begin(), order_.end());
  }
  auto above = std::upper_bound(order_.begin(), order_.end(), where,
                                [](const std::byte* p, const auto& entry) { return p < entry.first; });
  if (above == order_.begin()) return true;
  const auto [begin, number] = *--above;
  const auto& chunk = host_.cells().chunk(number);
  const auto offset = static_cast<std::size_t>(where - begin);
  if (offset >= chunk.stride * chunk.count) return true;
  return number < chunk_ || (number == chunk_ && offset / chunk.stride < place_);
}

void survey::see(const cell& c) {
  if (c.status == cell_status::free || c.spec == nullptr) return;
  auto& row = view_.rows.emplace_back();
  view_.parents.push_back(c.parent);
  row.who = any_ref{{const_cast<cell*>(&c), c.generation.load(std::memory_order_relaxed)}};
  row.type = c.ops->name;
  row.handled = c.handled;
  row.incarnation = c.incarnation;
  row.restarts = c.restarts;
  row.mailbox = c.depth.load(std::memory_order_relaxed);
  row.dropped = c.dropped;
  row.memory = memory_of(c);
  if (c.topics != nullptr)
    for (std::size_t i = 0; i < host_slots; ++i)
      if (const auto* s = host_.slot(i)) row.subscriptions += s->subscriptions(c);
  row.state = state_of(c);
  row.supervisor = c.ops->supervisor;
  row.own_thread = host_.dedicated;
  if (c.spec.get() != last_spec_) {
    last_spec_ = c.spec.get();
    last_text_ = static_cast<std::uint32_t>(view_.text.size());
    view_.text.append(c.spec->id);
  }
  row.text_ = last_text_;
  row.id_size_ = static_cast<std::uint16_t>(std::min<std::size_t>(c.spec->id.size(), 0xffff));
  if (c.extras != nullptr)
    if (const auto label = label_of(c); !label.empty()) {
      // Its own text, id and label together; what the neighbours share ends here.
      row.text_ = static_cast<std::uint32_t>(view_.text.size());
      view_.text.append(c.spec->id, 0, row.id_size_).append(label);
      row.label_size_ = static_cast<std::uint16_t>(std::min<std::size_t>(label.size(), 0xffff));
    }
  if (row.state == process_state::stuck || row.state == process_state::busy) see_handler(c);
}

process_state survey::state_of(const cell& c) const noexcept {
  if (&c == running_) return process_state::busy;
  if ((c.busy & busy_away) != 0) return process_state::stuck;
  switch (c.status) {
    case cell_status::starting: return process_state::starting;
    case cell_status::running:
      if ((c.busy & busy_ending) != 0) return process_state::stopping;
      if ((c.busy & busy_suspended) != 0) return process_state::suspended;
      if ((c.busy & busy_awaiting) != 0) return process_state::awaiting;
      return process_state::running;
    case cell_status::ended: return process_state::restarting;
    case cell_status::resting:
    case cell_status::free: break;
  }
  return process_state::stopped;
}

void survey::see_handler(const cell& c) {
  running_handler h;
  h.process = static_cast<std::uint32_t>(view_.rows.size() - 1);
  h.message = word_of(c.phase);
  const type_tag* type = nullptr;
  if (&c == running_) {
    auto& f = host_.runner_frame();
    if (f.in_hand != nullptr) type = f.in_hand->ops->type;
    if (const auto begun = host_.busy_since()) h.time = since(*begun, now_);
  } else if (c.away != nullptr) {
    type = c.away->type;
    h.time = since(c.away->since, now_);
    h.overran = true;
  }
  if (type != nullptr && c.phase == user_phase::handler) h.message = type->name;
  view_.running.push_back(h);
}

std::uint32_t survey::memory_of(const cell& c) const noexcept {
  auto bytes = sizeof(cell) + (c.own_block ? c.ops->size : std::size_t{c.size_class} * 64);
  if (c.mail.head != nullptr) bytes += std::size_t{c.mail.head->size} * c.depth.load(std::memory_order_relaxed);
  if (c.extras != nullptr) bytes += sizeof(cell_extras);
  return static_cast<std::uint32_t>(std::min<std::size_t>(bytes, ~std::uint32_t{0}));
}

// --- the host's side ----------------------------------------------------------------------------------------------------

void host::note_change(cell& c) { survey_->before_change(c); }

std::optional<time_point> host::busy_since() const noexcept {
  const auto noted = busy_since_.load(std::memory_order_relaxed);
  if (noted == 0) return std::nullopt;
  return time_point{time_point::duration{noted}};
}

void host::note_busy(std::optional<time_point> begun) noexcept {
  const auto value = begun ? begun->time_since_epoch().count() : 0;
  if (busy_since_.load(std::memory_order_relaxed) != value) busy_since_.store(value, std::memory_order_relaxed);
}

}  // namespace herald::engine
