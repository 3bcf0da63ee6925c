// A stranger's program against the installed Herald: the runtime alone.
#include <cstdio>
#include <herald/runtime.hpp>

struct add {
  int value;
  using reply = int;
};

struct counter : herald::process<counter, add> {
  int on(const add& m) { return sum_ += m.value; }

 private:
  int sum_ = 0;
};

int main() {
  herald::application app{{.name = "sums", .children = {herald::child<counter>("counter")}}};
  app.start();
  const auto one = app.find<counter>("counter");
  const auto first = one.call(add{2});
  const auto second = one.call(add{3});
  if (!first || !second) return 1;
  std::printf("%d\n", *second);
  return *second == 5 ? 0 : 1;
}
