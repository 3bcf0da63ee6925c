// The telemetry relay: what the machine it runs on is doing, as rows and events of a Herald store. See README.md beside
// it.

#include "options.hpp"
#include "relay.hpp"
#include "terminal.hpp"

#include <unistd.h>

int main(int argc, char** argv) {
  auto parsed = telemetry::parse_options({argv + 1, argv + argc});
  if (!parsed.run) {
    (void)telemetry::write_fully(parsed.exit_code == 0 ? STDOUT_FILENO : STDERR_FILENO, parsed.text);
    return parsed.exit_code;
  }
  const telemetry::signal_watch signals;  // before any thread
  return telemetry::run(*parsed.run, signals);
}
