#include <cstdio>
#include <string>

#include <herald/runtime.hpp>

using namespace std::chrono_literals;

struct convert { int page = 0; int attempt = 1; using reply = std::string; };

/// Converts pages with a library that cannot be trusted: it throws at every seventh page, the first time.
struct converter : herald::process<converter, convert> {
  std::string on(const convert& m) {
    if (m.page % 7 == 0 && m.attempt == 1) throw std::runtime_error{"the library gave up"};
    return "page " + std::to_string(m.page);
  }
};

/// Hands out the pages, and hands out again what was lost with a converter: a call tells how it ended, whatever happens.
struct desk : herald::process<desk> {
  struct args { int pages = 0; };
  desk(herald::context& self, args a) : self_{self}, left_{a.pages}, pool_{herald::find_partition<converter>(self, "pool")} {
    for (int page = 1; page <= a.pages; ++page) hand_out({page});
  }
 private:
  void hand_out(convert m) {
    self_.call(pool_.of(m.page), m, 1s, [this, m](const herald::result<std::string>& r) {
      if (!r) return ++lost_, hand_out({m.page, m.attempt + 1});
      if (--left_ == 0) {
        std::printf("all pages done, %d of them twice\n", lost_);
        self_.stop();
      }
    });
  }
  herald::context& self_;
  int left_, lost_ = 0;
  herald::partition_ref<converter> pool_;
};

int main() {
  herald::application app{{.name = "office", .auto_shutdown = herald::any_significant, .children = {
      herald::partition("pool", herald::child<converter>("converter"), {.partitions = 4, .intensity = {50, 5s}}),
      herald::child<desk>("desk", {.pages = 100}, {.restart = herald::transient, .significant = true})}},
      {.sinks = {[](const herald::report&) {}}}};
  app.start();
  app.wait_for_end(1min);                          // the desk is significant: when it is done, everything ends
  std::printf("the office closes: %s\n", app.stop().reason.to_string().c_str());
}
