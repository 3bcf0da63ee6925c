// What compiling a piece of source costs, with the compiler of this build and without a cache.
#include "compile.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace bench {

namespace {

rusage of_children() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  return usage;
}

double cpu_seconds(const rusage& usage) {
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

compiled compile(const std::string& source, const std::string& flags) {
  const auto folder = std::filesystem::temp_directory_path() / ("herald-compile-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const auto file = folder / "source.cpp";
  std::ofstream{file} << source;
  const std::string command = "CCACHE_DISABLE=1 " BENCH_COMPILER " -std=c++20 " + flags + " " BENCH_INCLUDES " -c '" +
                              file.string() + "' -o '" + (folder / "source.o").string() + "'";
  const double before = cpu_seconds(of_children());
  const stopwatch watch;
  const int code = std::system(command.c_str());  // NOLINT: no other thread exists here
  compiled made{.time = watch.stop()};
  made.time.cpu_s = cpu_seconds(of_children()) - before;
  made.time.value = made.time.cpu_s;
  made.time.workers = 1;
  // The largest child there was: whoever asks for it compiles what is largest.
  made.megabytes = static_cast<double>(of_children().ru_maxrss) / 1000;
  std::filesystem::remove_all(folder);
  if (code != 0) throw std::runtime_error{"the compiler failed on: " + command};
  return made;
}

}  // namespace bench
