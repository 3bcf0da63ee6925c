#include <herald/engine/path_lookup.hpp>

#include <utility>

#include <herald/engine/core.hpp>
#include <herald/engine/operation.hpp>

namespace herald::engine {

namespace {

/// One address after the other. Where the order to a host finds nobody, it is destroyed unread, and the next comes.
struct lookup {
  core* system = nullptr;
  std::vector<address> of;
  std::function<void(std::vector<std::string>)> then;
  std::vector<std::string> paths;
};

class step {
 public:
  explicit step(std::unique_ptr<lookup> l) noexcept : lookup_{std::move(l)} {}
  step(step&&) noexcept = default;
  step& operator=(step&&) = delete;
  ~step() {
    if (lookup_) answer({});
  }
  void answer(std::string path) {
    auto l = std::move(lookup_);
    l->paths.push_back(std::move(path));
    go(std::move(l));
  }
  static void go(std::unique_ptr<lookup> l) {
    while (l->paths.size() < l->of.size()) {
      const auto next = l->of[l->paths.size()];
      if (next.cell == nullptr || l->system->ended()) {
        l->paths.emplace_back();
        continue;
      }
      const runtime_entry entry;
      post_control(next, entry.owned(),
                   [me = step{std::move(l)}](cell* c, frame&) mutable { me.answer(core::path_of(*c)); });
      return;
    }
    l->then(std::move(l->paths));
  }

 private:
  std::unique_ptr<lookup> lookup_;
};

}  // namespace

void look_up_paths(core& system, std::vector<address> of, std::function<void(std::vector<std::string>)> then) {
  if (system.options().simulation != nullptr) {
    // One thread at a time: whoever runs may look.
    std::vector<std::string> paths;
    for (const auto& a : of)
      paths.push_back(a.cell != nullptr && a.cell->alive(a) && a.cell->spec != nullptr ? core::path_of(*a.cell) : std::string{});
    return then(std::move(paths));
  }
  auto l = std::make_unique<lookup>();
  l->system = &system;
  l->of = std::move(of);
  l->then = std::move(then);
  step::go(std::move(l));
}

}  // namespace herald::engine
