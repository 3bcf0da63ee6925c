#pragma once
// Herald: a process that fills a dynamic supervisor with children.

#include <cstdint>

#include "runtime_environment.hpp"

namespace bench {

struct fill {
  herald::supervisor_ref crowd;
};

/// Starts children of a dynamic supervisor, a hundred requests in flight.
template <class P>
struct starter : herald::process<starter<P>, fill> {
  struct args {
    std::int64_t children;
    countdown* done;
  };
  starter(herald::context& self, args a) : self_{self}, left_{a.children}, done_{a.done} {}
  void on(const fill& m) {
    crowd_ = m.crowd;
    for (int i = 0; i < 100; ++i) next();
  }

 private:
  void next() {
    if (left_ == 0) return;
    --left_;
    crowd_.start_child<P>(self_, typename P::args{}, std::chrono::seconds{60}, [this](const herald::result<herald::ref<P>>& started) {
      (void)started.value();
      done_->hit();
      next();
    });
  }
  herald::context& self_;
  herald::supervisor_ref crowd_;
  std::int64_t left_;
  countdown* done_;
};

}  // namespace bench
