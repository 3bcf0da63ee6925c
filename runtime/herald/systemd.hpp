#pragma once
// The problem: a service manager must know when a service is up, that it is stopping and not dead, and when to shoot a
// program that hangs though its process lives. systemd asks for datagrams on the socket named by NOTIFY_SOCKET; this is
// that protocol, without libsystemd.
//
// An application speaks it by itself: run_until_signal() does when NOTIFY_SOCKET is set, application_options::systemd makes
// start() do it (true) or nobody (false). It sends READY=1 when the tree is up, STATUS=, STOPPING=1 and EXTEND_TIMEOUT_USEC=
// while it ends (as long as its hosts answer), and, with WatchdogSec= in the unit, WATCHDOG=1: only after a ping that has
// gone through the root supervisor and every shared host and come back. A host that hangs stops it, a busy one does not:
// the ping is a control message.
//
//   [Service]
//   Type=notify
//   ExecStart=/usr/bin/market
//   WatchdogSec=10
//   TimeoutStopSec=30
//   Restart=on-failure
//
// Thread safety: all functions from any thread. Errors: values; a manager that does not listen is no reason to fail.
// The idea: sd_notify(3), sd_watchdog_enabled(3).

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <herald/error.hpp>

namespace herald::systemd {

/// Where to send, from NOTIFY_SOCKET: a path, or an abstract name that begins with '@'. Empty: not under systemd.
[[nodiscard]] std::string socket_name();
/// WATCHDOG_USEC, when it is meant for this process (WATCHDOG_PID).
[[nodiscard]] std::optional<std::chrono::microseconds> watchdog_period();

/// Sends assignments, one a line: "STATUS=loading 3 of 7". False: not under systemd. failed: it could not be sent.
[[nodiscard]] result<bool> notify(std::string_view assignments);
/// The same to a given socket.
[[nodiscard]] result<void> notify(const std::string& socket_name, std::string_view assignments);

}  // namespace herald::systemd
