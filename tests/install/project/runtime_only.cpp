// A stranger's program against the installed Herald: the runtime alone.
#include <cstdio>
#include <herald/error.hpp>

int main() {
  const herald::error why{herald::errc::timeout, "just a value"};
  std::puts(why.to_string().c_str());
  return 0;
}
