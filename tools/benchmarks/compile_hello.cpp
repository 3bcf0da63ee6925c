// What a user waits for: compiling 20 lines of code against the umbrella header.
#include "compile.hpp"
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

}  // namespace

sample compile_hello(bool with_herald) { return compile(with_herald ? with_herald_source : without_source, "-O2").time; }

}  // namespace bench::runtime
