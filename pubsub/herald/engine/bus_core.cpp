#include <herald/engine/bus_core.hpp>

#include <algorithm>
#include <cstring>
#include <functional>
#include <new>
#include <thread>
#include <utility>

#include <herald/engine/fan_out.hpp>
#include <herald/engine/group_members.hpp>
#include <herald/engine/retention.hpp>
#include <herald/topic.hpp>

namespace herald::engine {

// --- records ----------------------------------------------------------------------------------------------------------

topic_record* topic_record::make(bus_core& bus, std::string_view name, std::size_t hash) {
  auto* memory = ::operator new(sizeof(topic_record) + name.size());
  auto* record = ::new (memory) topic_record{bus, name, hash};
  std::memcpy(static_cast<void*>(record + 1), name.data(), name.size());
  return record;
}

void topic_record::destroy(topic_record* record) noexcept {
  record->~topic_record();
  ::operator delete(record);
}

topic_record::topic_record(bus_core& bus, std::string_view name, std::size_t hash) noexcept
    : bus_{&bus},
      hash_{hash},
      group_{name.find(group_mark) == std::string_view::npos ? nullptr : new group_members},
      length_{static_cast<std::uint16_t>(name.size())},
      name_length_{static_cast<std::uint16_t>(name.substr(0, name.find(group_mark)).size())},
      pattern_{is_pattern(name.substr(0, name_length_))} {}

topic_record::~topic_record() {
  if (auto* keeper = keeper_.load(std::memory_order_relaxed)) {
    bus_->keepers_.fetch_sub(1, std::memory_order_relaxed);
    delete keeper;
  }
  if (routes_ != nullptr) routes_->release();
  for (auto* s = seats_.load(std::memory_order_acquire); s != nullptr;) {
    auto* next = s->next.load(std::memory_order_acquire);
    delete s;
    s = next;
  }
}

void topic_record::release() noexcept {
  auto count = refs_.load(std::memory_order_relaxed);
  while (count > 1)
    if (refs_.compare_exchange_weak(count, count - 1, std::memory_order_acq_rel, std::memory_order_relaxed)) return;
  bus_->forget(this);
}

retention& topic_record::make_keeper() {
  // Under the edge lock, so that a bus that closes sees it, or its maker sees the bus closed.
  const std::lock_guard lock{bus_->shard_of(hash_).edges};
  if (auto* found = keeper()) return *found;
  auto* made = new retention;
  bus_->keepers_.fetch_add(1, std::memory_order_relaxed);
  keeper_.store(made, std::memory_order_release);
  return *made;
}

pattern_routes* topic_record::find_routes(std::uint64_t version) {
  struct guard {
    explicit guard(std::atomic_flag& f) noexcept : flag{f} {
      while (flag.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
    }
    ~guard() { flag.clear(std::memory_order_release); }
    std::atomic_flag& flag;
  };
  if (seen_.load(std::memory_order_acquire) >> 1 == version) {
    const guard lock{routes_busy_};
    if (routes_ != nullptr) routes_->retain();
    return routes_;
  }
  auto found = bus_->match(name());
  auto* unused = found.routes;
  {
    const guard lock{routes_busy_};
    // Another publisher may have asked later than this one.
    if (seen_.load(std::memory_order_relaxed) >> 1 < found.version) {
      unused = std::exchange(routes_, found.routes);
      seen_.store(found.version << 1 | (found.routes != nullptr ? 1 : 0), std::memory_order_release);
    }
    found.routes = routes_;
    if (routes_ != nullptr) routes_->retain();
  }
  if (unused != nullptr) unused->release();
  return found.routes;
}

// --- the map ----------------------------------------------------------------------------------------------------------

namespace {

/// std::hash leaves the choice of bits to the library; shards use the top ones and buckets the low ones.
std::size_t hash_of(std::string_view name) noexcept {
  auto h = std::hash<std::string_view>{}(name);
  h ^= h >> 32;
  h *= 0x9e3779b97f4a7c15u;
  return h ^ (h >> 29);
}

}  // namespace

bus_core::bus_core(core& system, std::string name) : system_{&system}, name_{std::move(name)} {}

bus_core::~bus_core() {
  close();
  // Nobody publishes any more; what topics remember of patterns goes while all records are still there.
  for (auto& s : shards_)
    for (auto* head : s.buckets)
      for (auto* record = head; record != nullptr; record = record->bucket_next_)
        if (auto* routes = std::exchange(record->routes_, nullptr)) routes->abandon();
  for (auto& s : shards_) {
    for (auto* record : s.buckets) {
      while (record != nullptr) {
        auto* next = record->bucket_next_;
        topic_record::destroy(record);
        record = next;
      }
    }
  }
}

namespace {

void clear_kept(const topic_record& topic) {
  auto* keeper = topic.keeper();
  if (keeper == nullptr) return;
  auto lock = keeper->lock();
  const auto gone = keeper->take_all();
  lock.unlock();  // what is gone ends after it: that is user code
}

}  // namespace

void bus_core::close() noexcept {
  if ((routing_.fetch_or(closed_bit, std::memory_order_acq_rel) & closed_bit) != 0) return;
  for (const auto& topic : keeping()) clear_kept(*topic);
}

void bus_core::clear(std::string_view topic) {
  if (const held_topic found{hold_topic(find(topic))}) clear_kept(*found);
}

std::vector<held_topic> bus_core::keeping() {
  std::vector<held_topic> found;
  if (keepers_.load(std::memory_order_relaxed) == 0 && !closed()) return found;
  for (auto& s : shards_) {
    const std::lock_guard edges{s.edges};
    const std::shared_lock lock{s.mutex};
    for (auto* head : s.buckets)
      for (auto* record = head; record != nullptr; record = record->bucket_next_)
        if (record->keeper() != nullptr) {
          record->retain();
          found.push_back(hold_topic(record));
        }
  }
  return found;
}

topic_record* bus_core::search(const shard& in, std::string_view name, std::size_t hash) noexcept {
  if (in.buckets.empty()) return nullptr;
  for (auto* r = in.buckets[hash & (in.buckets.size() - 1)]; r != nullptr; r = r->bucket_next_)
    if (r->hash_ == hash && r->full_name() == name) return r;
  return nullptr;
}

topic_record* bus_core::find(std::string_view name) {
  const auto hash = hash_of(name);
  auto& s = shard_of(hash);
  const std::shared_lock lock{s.mutex};
  auto* found = search(s, name, hash);
  if (found != nullptr) found->retain();
  return found;
}

topic_record* bus_core::open(std::string_view name) {
  const auto hash = hash_of(name);
  auto& s = shard_of(hash);
  {
    const std::shared_lock lock{s.mutex};
    if (auto* found = search(s, name, hash)) {
      found->retain();
      return found;
    }
  }
  const std::unique_lock lock{s.mutex};
  if (auto* found = search(s, name, hash)) {
    found->retain();
    return found;
  }
  if (s.count >= s.buckets.size()) grow(s);
  auto* made = topic_record::make(*this, name, hash);
  auto& bucket = s.buckets[hash & (s.buckets.size() - 1)];
  made->bucket_next_ = bucket;
  bucket = made;
  ++s.count;
  if (made->routed()) ++s.patterns;
  return made;
}

topic_record* bus_core::find_wanted(std::string_view name) {
  if (auto* found = find(name)) {
    if (wanted(*found)) return found;
    found->release();  // only a handle holds it
    return nullptr;
  }
  if (version_of(routing()) == 0) return nullptr;
  {
    const std::shared_lock lock{patterns_mutex_};
    if (!patterns_.matches(name)) return nullptr;
  }
  return open(name);
}

void bus_core::grow(shard& s) {
  std::vector<topic_record*> wider(std::max<std::size_t>(8, 2 * s.buckets.size()), nullptr);
  for (auto* record : s.buckets) {
    while (record != nullptr) {
      auto* next = record->bucket_next_;
      auto& bucket = wider[record->hash_ & (wider.size() - 1)];
      record->bucket_next_ = bucket;
      bucket = record;
      record = next;
    }
  }
  s.buckets.swap(wider);
}

void bus_core::forget(topic_record* record) noexcept {
  auto& s = shard_of(record->hash_);
  {
    const std::unique_lock lock{s.mutex};
    if (record->refs_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;  // somebody looked it up meanwhile
    auto** link = &s.buckets[record->hash_ & (s.buckets.size() - 1)];
    while (*link != record) link = &(*link)->bucket_next_;
    *link = record->bucket_next_;
    --s.count;
    if (record->routed()) --s.patterns;
  }
  topic_record::destroy(record);
}

std::size_t bus_core::topics() const {
  std::size_t sum = 0;
  for (const auto& s : shards_) {
    const std::shared_lock lock{s.mutex};
    sum += s.count - s.patterns;
  }
  return sum;
}

std::size_t bus_core::patterns() const {
  const std::shared_lock lock{patterns_mutex_};
  return patterns_.size();
}

bus_core::matched bus_core::match(std::string_view name) const {
  std::vector<topic_record*> found;
  const std::shared_lock lock{patterns_mutex_};
  patterns_.find(name, found);
  return {found.empty() ? nullptr : pattern_routes::make(found), version_of(routing())};
}

topic_record* bus_core::open_group(std::string_view topic, std::string_view group) {
  std::string name{topic};
  name.push_back(topic_record::group_mark);
  name.append(group);
  return open(name);
}

std::vector<held_topic> bus_core::groups_of(std::string_view topic) const {
  std::vector<held_topic> all;
  if (version_of(routing()) == 0) return all;
  const std::shared_lock lock{patterns_mutex_};
  for (auto* r : patterns_.exactly(topic)) {
    if (r->group() == nullptr) continue;
    r->retain();
    all.push_back(hold_topic(r));
  }
  return all;
}

bool bus_core::tell_mismatch(const topic_record& topic) {
  auto& s = shard_of(topic.hash());
  const std::lock_guard lock{s.edges};
  if (s.told.size() >= max_told || std::find(s.told.begin(), s.told.end(), topic.name()) != s.told.end()) return false;
  s.told.emplace_back(topic.name());
  return true;
}

// --- edges ------------------------------------------------------------------------------------------------------------

seat* bus_core::seat_of(const topic_record& topic, const host& h) noexcept {
  for (auto* s = topic.seats(); s != nullptr; s = s->next.load(std::memory_order_acquire))
    if (s->home == &h) return s;
  return nullptr;
}

seat& bus_core::join(topic_record& topic, host& h, bool pending) {
  const std::lock_guard lock{shard_of(topic.hash()).edges};
  auto* s = seat_of(topic, h);
  if (s == nullptr) {
    s = new seat{h, topic};
    auto* link = &topic.seats_;
    while (auto* other = link->load(std::memory_order_relaxed)) link = &other->next;
    link->store(s, std::memory_order_release);
  }
  const bool came = !s->joined.load(std::memory_order_relaxed);
  if (came) host_came(topic);
  topic.retain();
  if (pending) ++s->pending;
  s->joined.store(true, std::memory_order_release);
  if (came && topic.hosts_.load(std::memory_order_relaxed) == 1) edge(topic, true);
  return *s;
}

void bus_core::arrived(seat& s) noexcept {
  const std::lock_guard lock{shard_of(s.topic->hash()).edges};
  --s.pending;
  if (s.live == 0 && s.pending == 0) host_went(s);
}

void bus_core::leave(seat& s) noexcept {
  {
    const std::lock_guard lock{shard_of(s.topic->hash()).edges};
    if (s.pending == 0) host_went(s);
  }
  s.topic->release();
}

void bus_core::host_came(topic_record& topic) {
  if (topic.routed() && !topic.has_hosts()) {
    const std::unique_lock lock{patterns_mutex_};
    patterns_.insert(topic);
    new_version();
  }
  topic.hosts_.fetch_add(1, std::memory_order_relaxed);
}

void bus_core::host_went(seat& s) noexcept {
  auto& topic = *s.topic;
  s.joined.store(false, std::memory_order_release);
  if (topic.hosts_.fetch_sub(1, std::memory_order_relaxed) != 1) return;
  if (topic.routed()) {
    const std::unique_lock lock{patterns_mutex_};
    patterns_.remove(topic);
    new_version();
  }
  edge(topic, false);
}

void bus_core::edge(topic_record& topic, bool wanted) {
  // Who begins to watch sets the bit and then looks at the seats; here the seat is written, then the bit is read.
  meet();
  if ((routing() & watched_bit) != 0) interests_.edge(topic, wanted);
}

// --- all buses --------------------------------------------------------------------------------------------------------

namespace {
constexpr char hub_key = 0;
}

bus_hub& bus_hub::of(core& system) {
  if (auto* found = system.slot_if(&hub_key)) return static_cast<bus_hub&>(*found);
  auto& made = static_cast<bus_hub&>(system.slot(&hub_key, [&] { return std::make_unique<bus_hub>(system); }));
  if (system.closing()) made.closing();
  return made;
}

std::shared_ptr<bus_core> bus_hub::bus(std::string_view name) {
  const std::lock_guard lock{mutex_};
  auto found = buses_.find(name);
  if (found == buses_.end()) {
    found = buses_.emplace(name, std::make_shared<bus_core>(*system_, std::string{name})).first;
    if (closed_) found->second->close();
  }
  return found->second;
}

void bus_hub::closing() noexcept {
  const std::lock_guard lock{mutex_};
  closed_ = true;
  default_->close();
  for (auto& [name, b] : buses_) b->close();
}

}  // namespace herald::engine
