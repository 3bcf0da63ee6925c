#include <herald/clock.hpp>

#include <sys/random.h>

namespace herald {

namespace {

class machine_clock final : public clock {
 public:
  [[nodiscard]] std::chrono::steady_clock::time_point now() const noexcept override {
    return std::chrono::steady_clock::now();
  }
  [[nodiscard]] std::chrono::system_clock::time_point wall() const noexcept override {
    return std::chrono::system_clock::now();
  }
};

// splitmix64 over a seed from the kernel, one stream a thread: a system call per number would cost more than the numbers.
class machine_entropy final : public entropy {
 public:
  [[nodiscard]] std::uint64_t next() noexcept override {
    thread_local std::uint64_t state = seed();
    auto z = (state += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }

 private:
  static std::uint64_t seed() noexcept {
    std::uint64_t value = 0;
    if (::getrandom(&value, sizeof value, 0) != static_cast<ssize_t>(sizeof value))
      value = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
    return value;
  }
};

constinit machine_clock the_clock;
constinit machine_entropy the_entropy;

}  // namespace

clock& system_clock() noexcept { return the_clock; }
entropy& system_entropy() noexcept { return the_entropy; }

}  // namespace herald
