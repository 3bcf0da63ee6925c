#include <herald/engine/pattern_trie.hpp>

#include <algorithm>
#include <utility>

#include <herald/topic.hpp>

namespace herald::engine {

namespace {

/// The first segment of what is left, and the rest of it; `over` when that was the last one.
std::string_view split(std::string_view& left, bool& over) noexcept {
  const auto end = left.find(topic_delimiter);
  const auto first = left.substr(0, end);
  over = end == std::string_view::npos;
  left = over ? std::string_view{} : left.substr(end + 1);
  return first;
}

}  // namespace

void pattern_trie::insert(topic_record& pattern) {
  auto* at = &root_;
  auto left = pattern.name();
  for (bool over = false; !over;) {
    const auto segment = split(left, over);
    if (segment == "**") {
      at->rest.push_back(&pattern);
      ++count_;
      return;
    }
    auto& next = segment == "*" ? at->any : at->named[std::string{segment}];
    if (!next) next = std::make_unique<node>();
    at = next.get();
  }
  at->here.push_back(&pattern);
  ++count_;
}

void pattern_trie::cut(node& at, std::string_view left, bool over, const topic_record& record) noexcept {
  const auto take = [&](std::vector<topic_record*>& from) { from.erase(std::find(from.begin(), from.end(), &record)); };
  if (over) return take(at.here);
  const auto segment = split(left, over);
  if (segment == "**") {
    take(at.rest);
  } else if (segment == "*") {
    cut(*at.any, left, over, record);
    if (at.any->empty()) at.any.reset();
  } else {
    const auto next = at.named.find(segment);
    cut(*next->second, left, over, record);
    if (next->second->empty()) at.named.erase(next);
  }
}

void pattern_trie::remove(topic_record& pattern) noexcept {
  cut(root_, pattern.name(), false, pattern);
  --count_;
}

template <class F>
bool pattern_trie::walk(const node& at, std::string_view left, bool over, F&& f) {
  if (over) {
    for (auto* r : at.here)
      if (f(r)) return true;
  } else {
    auto rest = left;
    bool last = false;
    const auto segment = split(rest, last);
    if (const auto next = at.named.find(segment); next != at.named.end() && walk(*next->second, rest, last, f)) return true;
    if (at.any && walk(*at.any, rest, last, f)) return true;
  }
  for (auto* r : at.rest)
    if (f(r)) return true;
  return false;
}

std::vector<topic_record*> pattern_trie::exactly(std::string_view name) const {
  const auto* at = &root_;
  for (bool over = false; !over;) {
    const auto segment = split(name, over);
    if (segment == "**") return at->rest;
    if (segment == "*") {
      at = at->any.get();
    } else {
      const auto next = at->named.find(segment);
      at = next == at->named.end() ? nullptr : next->second.get();
    }
    if (at == nullptr) return {};
  }
  return at->here;
}

void pattern_trie::find(std::string_view topic, std::vector<topic_record*>& into) const {
  walk(root_, topic, false, [&](topic_record* r) {
    into.push_back(r);
    return false;
  });
}

bool pattern_trie::matches(std::string_view topic) const {
  return walk(root_, topic, false, [](topic_record*) { return true; });
}

pattern_routes* pattern_routes::make(const std::vector<topic_record*>& patterns) {
  auto* made = new pattern_routes{patterns};
  for (auto* r : patterns) r->retain();
  return made;
}

void pattern_routes::release() noexcept {
  if (refs_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  for (auto* r : records_) r->release();
  delete this;
}

void pattern_routes::abandon() noexcept {
  if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

}  // namespace herald::engine
