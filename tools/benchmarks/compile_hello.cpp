// What a user waits for: compiling 20 lines of code against the umbrella header.
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "runtime.hpp"

namespace bench::runtime {

namespace {

constexpr const char* with_herald_source = R"(#include <herald/herald.hpp>
#include <string>

struct add { int n; };
struct total { using reply = int; };

struct counter : herald::process<counter, add, total> {
  void on(const add& m) { sum_ += m.n; }
  int on(const total&) { return sum_; }
 private:
  int sum_ = 0;
};

int main() {
  herald::application app{{.name = "hello", .children = {herald::child<counter>("counter")}}};
  app.start();
  const auto one = app.find<counter>("counter");
  one.cast(add{2});
  return one.call(total{}).value() == 2 ? 0 : 1;
}
)";

constexpr const char* without_source = R"(#include <chrono>
#include <functional>
#include <string>
#include <vector>

struct counter {
  void add(int n) { sum_ += n; }
  int total() const { return sum_; }
 private:
  int sum_ = 0;
};

int main() {
  counter one;
  one.add(2);
  return one.total() == 2 ? 0 : 1;
}
)";

double children_cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

sample compile_hello(bool with_herald) {
  const auto folder = std::filesystem::temp_directory_path() / ("herald-compile-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const auto source = folder / "hello.cpp";
  std::ofstream{source} << (with_herald ? with_herald_source : without_source);
  const std::string command = "CCACHE_DISABLE=1 " BENCH_COMPILER " -std=c++20 -O2 " BENCH_INCLUDES " -c '" +
                              source.string() + "' -o '" + (folder / "hello.o").string() + "'";
  const auto before = children_cpu_seconds();
  const stopwatch watch;
  const int code = std::system(command.c_str());  // NOLINT: no other thread exists here
  auto result = watch.stop();
  result.cpu_s = children_cpu_seconds() - before;
  result.value = result.cpu_s;
  result.workers = 1;
  std::filesystem::remove_all(folder);
  if (code != 0) throw std::runtime_error{"the compiler failed on: " + command};
  return result;
}

}  // namespace bench::runtime
