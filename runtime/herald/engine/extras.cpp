#include <herald/engine/extras.hpp>

#include <herald/engine/frame.hpp>
#include <herald/engine/stash.hpp>
#include <herald/engine/supervisor_state.hpp>

namespace herald::engine {

cell_extras::cell_extras() = default;
cell_extras::~cell_extras() = default;

void cell_extras::arrived(const cell& c, const envelope& e) noexcept {
  for (auto* h = hooks.get(); h != nullptr; h = h->next_.get()) h->arrived(c, e);
}

void cell_extras::before(cell& c, frame& f, const envelope& e) noexcept {
  for (auto* h = hooks.get(); h != nullptr; h = h->next_.get()) h->before(c, f, e);
}

verdict cell_extras::judge(cell& c, frame& f, envelope& e) noexcept {
  verdict all;
  for (auto* h = hooks.get(); h != nullptr; h = h->next_.get()) {
    const auto v = h->judge(c, f, e);
    if (v.kind != verdict::kind_t::run) return v;
    all.stall += v.stall;
  }
  return all;
}

void cell_extras::after(cell& c, frame& f, const envelope& e) noexcept {
  for (auto* h = hooks.get(); h != nullptr; h = h->next_.get()) h->after(c, f, e);
}

void cell_extras::idle(cell& c, frame& f) noexcept {
  for (auto* h = hooks.get(); h != nullptr && !f.lost; h = h->next_.get()) h->idle(c, f);
}

void cell_extras::life_over(cell& c) noexcept {
  asked_to_stop = false;
  for (auto* link = &hooks; *link != nullptr;) {
    if (!(*link)->per_life()) {
      link = &(*link)->next_;
      continue;
    }
    auto gone = std::move(*link);
    *link = std::move(gone->next_);
  }
  if (hooks == nullptr) c.busy &= ~std::uint32_t{busy_watched};
}

cell_extras& extras_of(cell& c) {
  if (c.extras == nullptr) c.extras = new cell_extras;
  return *c.extras;
}

void add_hook(cell& c, std::unique_ptr<cell_hook> hook) {
  auto& extras = extras_of(c);
  hook->next_ = std::move(extras.hooks);
  extras.hooks = std::move(hook);
  c.busy |= busy_watched;
}

void remove_hook(cell& c, const cell_hook* hook) noexcept {
  if (c.extras == nullptr) return;
  for (auto* link = &c.extras->hooks; *link != nullptr; link = &(*link)->next_) {
    if (link->get() != hook) continue;
    auto gone = std::move(*link);
    *link = std::move(gone->next_);
    break;
  }
  if (c.extras->hooks == nullptr) c.busy &= ~std::uint32_t{busy_watched};
}

}  // namespace herald::engine
