#include <herald/engine/group_members.hpp>

#include <algorithm>
#include <string>

#include <herald/engine/type_tag.hpp>

namespace herald::engine {

namespace {

std::string_view word(group_policy::kind_t kind) {
  switch (kind) {
    case group_policy::kind_t::none: return "none";
    case group_policy::kind_t::round_robin: return "round_robin";
    case group_policy::kind_t::by_key: return "by_key";
    case group_policy::kind_t::least_loaded: return "least_loaded";
  }
  return "unknown";
}

/// Lamping and Veach: which of n buckets a key belongs to; one bucket more moves one key in n.
std::size_t jump(std::uint64_t key, std::size_t n) noexcept {
  std::int64_t bucket = -1;
  std::int64_t next = 0;
  while (next < static_cast<std::int64_t>(n)) {
    bucket = next;
    key = key * 2862933555777941757u + 1;
    next = static_cast<std::int64_t>(static_cast<double>(bucket + 1) *
                                     (static_cast<double>(std::int64_t{1} << 31) / static_cast<double>((key >> 33) + 1)));
  }
  return static_cast<std::size_t>(bucket);
}

}  // namespace

group_members::seated* group_members::find(const group_member& m) noexcept {
  const auto found = where_.find({m.at, m.id});
  if (found == where_.end()) return nullptr;
  auto& s = all_[found->second];
  return s.member.generation == m.generation ? &s : nullptr;
}

std::optional<std::string> group_members::refuses(const group_policy& policy, const type_tag& type) {
  const std::lock_guard lock{mutex_};
  if (all_.empty()) return std::nullopt;
  if (policy.kind() != policy_.kind())
    return "joins the group \"" + policy.name() + "\" with " + std::string{word(policy.kind())} + "; wanted: " +
           std::string{word(policy_.kind())} + ", as its other members have";
  if (&type != type_)
    return "joins the group \"" + policy.name() + "\" for events of type " + std::string{type.name} + "; wanted: " +
           std::string{type_->name} + ", as its other members have";
  return std::nullopt;
}

void group_members::join(const group_member& m, const group_policy& policy, const type_tag& type, bool up) {
  const std::lock_guard lock{mutex_};
  if (all_.empty()) {
    policy_ = policy;
    type_ = &type;
  }
  all_.push_back({m, 0, up});
  where_.insert_or_assign({m.at, m.id}, all_.size() - 1);
}

void group_members::leave(const group_member& m) noexcept {
  const std::lock_guard lock{mutex_};
  auto* s = find(m);
  if (s == nullptr) return;
  where_.erase({m.at, m.id});
  if (s != &all_.back()) {
    *s = all_.back();
    where_[{s->member.at, s->member.id}] = static_cast<std::size_t>(s - all_.data());
  }
  all_.pop_back();
}

void group_members::set_up(const group_member& m, bool up) noexcept {
  const std::lock_guard lock{mutex_};
  if (auto* s = find(m)) s->up = up;
}

void group_members::arrived(const group_member& m) noexcept {
  const std::lock_guard lock{mutex_};
  if (auto* s = find(m)) --s->under_way;
}

std::size_t group_members::size() {
  const std::lock_guard lock{mutex_};
  return all_.size();
}

std::size_t group_members::least_loaded() noexcept {
  // Of many a sample, another one each time.
  constexpr std::size_t looked_at = 32;
  const auto n = std::min(all_.size(), looked_at);
  const auto start = static_cast<std::size_t>(next_++ % all_.size());
  std::size_t best = start;
  std::uint64_t best_load = ~std::uint64_t{0};
  for (std::size_t i = 0; i < n; ++i) {
    const auto at = (start + i) % all_.size();
    const auto& s = all_[at];
    if (!s.up) continue;
    const auto load = std::uint64_t{s.member.who->depth.load(std::memory_order_relaxed)} + s.under_way;
    if (load >= best_load) continue;
    best = at;
    best_load = load;
  }
  return best;
}

std::size_t group_members::first_choice(const published& event) noexcept {
  if (policy_.kind() == group_policy::kind_t::least_loaded) return least_loaded();
  if (policy_.kind() == group_policy::kind_t::by_key && event.ops->type == type_) {
    try {
      const auto hash = std::uint64_t{policy_.key()->hash(event.payload)} * 0x9e3779b97f4a7c15u;
      return jump(hash ^ hash >> 32, all_.size());
    } catch (...) {
      return 0;  // it must not throw; one that does has all its keys in one place
    }
  }
  return static_cast<std::size_t>(next_++ % all_.size());
}

std::optional<group_member> group_members::pick(const published& event, const cell* but) {
  const std::lock_guard lock{mutex_};
  if (all_.empty()) return std::nullopt;
  const auto first = first_choice(event);
  const auto good = [&](const seated& s, bool any) { return s.member.who != but && (any || s.up); };
  for (const bool any : {false, true})
    for (std::size_t i = 0; i < all_.size(); ++i)
      if (auto& s = all_[(first + i) % all_.size()]; good(s, any)) return ++s.under_way, s.member;
  return std::nullopt;
}

}  // namespace herald::engine
