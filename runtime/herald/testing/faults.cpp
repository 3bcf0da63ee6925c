#include <herald/testing/faults.hpp>

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <herald/engine/core.hpp>
#include <herald/engine/extras.hpp>
#include <herald/engine/host.hpp>

namespace herald::testing {

using namespace engine;

struct faults::rule {
  std::string path;
  const type_tag* type = nullptr;
  when occasions;
  action what = action::crash;
  std::chrono::nanoseconds time{0};
  std::string text;
  std::uint64_t seen = 0;

  [[nodiscard]] bool applies(entropy& dice) {
    ++seen;
    switch (occasions.kind) {
      case when::kind_t::always: return true;
      case when::kind_t::first: return seen <= occasions.n;
      case when::kind_t::nth: return seen == occasions.n;
      case when::kind_t::one_in: return dice.next() % occasions.n == 0;
    }
    return false;
  }
};

struct faults::rules {
  mutable std::mutex mutex;
  std::vector<std::shared_ptr<rule>> all;
  std::uint64_t happened = 0;
};

namespace {

[[nodiscard]] bool path_matches(std::string_view pattern, std::string_view path) {
  for (;;) {
    if (pattern == "**") return true;
    const auto p = pattern.find('/');
    const auto s = path.find('/');
    const auto want = pattern.substr(0, p);
    if (want != "*" && want != path.substr(0, s)) return false;
    if (p == std::string_view::npos || s == std::string_view::npos) return p == s;
    pattern.remove_prefix(p + 1);
    path.remove_prefix(s + 1);
  }
}

}  // namespace

/// Sits on one incarnation and judges its messages.
class faults::hook final : public cell_hook {
 public:
  hook(cell& c, std::shared_ptr<rules> from, std::vector<std::shared_ptr<rule>> mine)
      : cell_hook{true}, cell_{c}, rules_{std::move(from)}, mine_{std::move(mine)} {}
  ~hook() override {
    while (late_ != nullptr) {
      auto* gone = std::exchange(late_, late_->next);
      cell_.home->disarm(*gone);
      gone->message->ops->discard(gone->message, discard_reason::noproc, nullptr);
      delete gone;
    }
  }

  verdict judge(cell& c, frame&, envelope& e) noexcept override {
    if (const auto found = std::find(passing_.begin(), passing_.end(), &e); found != passing_.end()) {
      passing_.erase(found);
      return {};
    }
    verdict v;
    const std::lock_guard lock{rules_->mutex};
    const rule* taking = nullptr;  // every rule counts the message; the first that takes it decides
    for (const auto& r : mine_) {
      if (r->what == action::fail_init || (r->type != nullptr && r->type != e.ops->type)) continue;
      if (!r->applies(c.home->system().dice())) continue;
      if (r->what == action::stall) {
        ++rules_->happened;
        v.stall += r->time;
      } else if (taking == nullptr) {
        ++rules_->happened;
        taking = r.get();
      }
    }
    if (taking == nullptr) return v;
    v.kind = taking->what == action::crash ? verdict::kind_t::crash : verdict::kind_t::taken;
    if (taking->what == action::drop) e.ops->discard(&e, discard_reason::overflow, nullptr);
    if (taking->what == action::delay) keep(e, taking->time);
    return v;
  }

 private:
  struct late final : timer {
    hook* of = nullptr;
    envelope* message = nullptr;
    late* next = nullptr;
    void fire(host& home) override { of->arrive(*this, home); }
  };
  void keep(envelope& e, std::chrono::nanoseconds time) {
    auto* l = new late;
    l->of = this;
    l->message = &e;
    l->when = cell_.home->now() + time;
    l->next = std::exchange(late_, l);
    cell_.home->arm(*l);
  }
  /// Back into the mailbox, past the rules this time.
  void arrive(late& l, host& home) {
    for (auto** link = &late_; *link != nullptr; link = &(*link)->next)
      if (*link == &l) {
        *link = l.next;
        break;
      }
    auto* e = l.message;
    delete &l;
    passing_.push_back(e);
    home.deliver(e);
  }

  cell& cell_;
  std::shared_ptr<rules> rules_;
  std::vector<std::shared_ptr<rule>> mine_;
  late* late_ = nullptr;
  std::vector<const envelope*> passing_;
};

faults::faults() : rules_{std::make_shared<rules>()} {}
faults::~faults() = default;

void faults::add(std::string path, const type_tag* type, when w, action what, std::chrono::nanoseconds time,
                 std::string text) {
  if (path.empty() || path.front() == '/' || path.back() == '/')
    throw std::invalid_argument{"a fault wants the path of a process, like \"alerts/mail\" or \"alerts/*\"; got \"" + path +
                                '"'};
  if (w.n == 0) throw std::invalid_argument{"a fault at \"" + path + "\" wants n >= 1, got 0"};
  if (time.count() < 0) throw std::invalid_argument{"a fault at \"" + path + "\" wants a time of 0 or more"};
  const std::lock_guard lock{rules_->mutex};
  rules_->all.push_back(std::make_shared<rule>(rule{std::move(path), type, w, what, time, std::move(text)}));
}

void faults::fail_init(std::string path, when w, std::string text) {
  add(std::move(path), nullptr, w, action::fail_init, {}, std::move(text));
}

void faults::clear() {
  const std::lock_guard lock{rules_->mutex};
  for (const auto& r : rules_->all) r->occasions = first(0);
  rules_->all.clear();
}

std::uint64_t faults::count() const {
  const std::lock_guard lock{rules_->mutex};
  return rules_->happened;
}

std::optional<std::string> faults::before_init(cell& c) noexcept {
  const auto path = core::path_of(c);
  std::optional<std::string> failing;
  std::vector<std::shared_ptr<rule>> mine;
  {
    const std::lock_guard lock{rules_->mutex};
    for (const auto& r : rules_->all) {
      if (!path_matches(r->path, path)) continue;
      if (r->what != action::fail_init) {
        mine.push_back(r);
      } else if (!failing && r->applies(c.home->system().dice())) {
        ++rules_->happened;
        failing = r->text;
      }
    }
  }
  if (!failing && !mine.empty()) add_hook(c, std::make_unique<hook>(c, rules_, std::move(mine)));
  return failing;
}

}  // namespace herald::testing
