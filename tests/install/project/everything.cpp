// A stranger's program against the installed Herald: all modules through the umbrella header.
#include <cstdio>
#include <herald/herald.hpp>

int main() {
  const herald::error why{herald::errc::timeout, "just a value"};
  std::puts(why.to_string().c_str());
  return 0;
}
