#include <herald/engine/published_extra.hpp>

#include <algorithm>

#include <herald/dispatcher.hpp>
#include <herald/engine/cell.hpp>
#include <herald/engine/topic_table.hpp>

namespace herald::engine {

published_extra& extra_of(published& event) {
  if (auto* found = event.more.load(std::memory_order_acquire)) return *found;
  auto made = std::make_unique<published_extra>();
  published_extra* nobody = nullptr;
  if (!event.more.compare_exchange_strong(nobody, made.get(), std::memory_order_acq_rel)) return *nobody;
  return *made.release();
}

namespace {

/// A kept event may live long, and many processes come and go meanwhile.
void sweep(published_extra& extra) {
  if (extra.copies.size() < extra.sweep_at) return;
  std::erase_if(extra.copies, [](const auto& one) { return one.first->generation.load(std::memory_order_relaxed) != one.second.generation; });
  extra.sweep_at = std::max<std::size_t>(64, 2 * extra.copies.size());
}

template <class Stands>
bool claim(published& event, const cell& c, const copy_claim& mine, Stands&& stands) {
  auto& extra = extra_of(event);
  const std::lock_guard lock{extra.mutex};
  sweep(extra);
  const auto [found, added] = extra.copies.try_emplace(&c, mine);
  if (added) return true;
  auto& has = found->second;
  if (has.generation == mine.generation && stands(has)) return false;
  has = mine;
  return true;
}

}  // namespace

bool first_copy(published& event, const cell& c, const copy_claim& mine) {
  return claim(event, c, mine, [](const copy_claim&) { return true; });
}

bool first_kept_copy(published& event, const cell& c, const copy_claim& mine, topic_table* table) {
  return claim(event, c, mine, [&](const copy_claim& has) {
    return has.life == mine.life && (table == nullptr || table->current(has.id, has.generation_of_id));
  });
}

void hold_copy(published& event, const cell& c, const copy_claim& mine) {
  static_cast<void>(claim(event, c, mine, [](const copy_claim&) { return false; }));
}

encoded_ptr encode_once(published& event, const type_tag& type, const std::function<encoded_ptr()>& make) {
  auto& extra = extra_of(event);
  // Whoever comes meanwhile waits: it would only do the same.
  const std::lock_guard lock{extra.mutex};
  for (const auto& [of, what] : extra.encoded)
    if (of == &type) return what;
  return extra.encoded.emplace_back(&type, make()).second;
}

}  // namespace herald::engine
