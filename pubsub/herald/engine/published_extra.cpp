#include <herald/engine/published_extra.hpp>

#include <herald/dispatcher.hpp>

namespace herald::engine {

published_extra& extra_of(published& event) {
  if (auto* found = event.more.load(std::memory_order_acquire)) return *found;
  auto made = std::make_unique<published_extra>();
  published_extra* nobody = nullptr;
  if (!event.more.compare_exchange_strong(nobody, made.get(), std::memory_order_acq_rel)) return *nobody;
  return *made.release();
}

bool first_copy(published& event, const cell& c) {
  auto& extra = extra_of(event);
  const std::lock_guard lock{extra.mutex};
  return extra.served.insert(&c).second;
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
