#include <herald/systemd.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace herald::systemd {

std::string socket_name() {
  const auto* name = std::getenv("NOTIFY_SOCKET");
  return name != nullptr ? name : "";
}

std::optional<std::chrono::microseconds> watchdog_period() {
  const auto* period = std::getenv("WATCHDOG_USEC");
  if (period == nullptr) return std::nullopt;
  if (const auto* pid = std::getenv("WATCHDOG_PID"); pid != nullptr && std::atol(pid) != ::getpid()) return std::nullopt;
  const auto us = std::strtoull(period, nullptr, 10);
  // What does not fit, or makes no sense, is no watchdog.
  if (us == 0 || us > 86'400'000'000ull * 365) return std::nullopt;
  return std::chrono::microseconds{us};
}

result<bool> notify(std::string_view assignments) {
  const auto name = socket_name();
  if (name.empty()) return false;
  if (const auto sent = notify(name, assignments); !sent) return sent.error();
  return true;
}

result<void> notify(const std::string& name, std::string_view assignments) {
  const auto failure = [&](const char* what) {
    return error{errc::failed, "nothing was told to systemd at \"" + name + "\": " + what};
  };
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (name.empty() || (name[0] != '/' && name[0] != '@')) return failure("wanted: an absolute path or a name that begins with @");
  if (name.size() >= sizeof to.sun_path) return failure("the name is too long for a socket");
  std::memcpy(to.sun_path, name.data(), name.size());
  if (name[0] == '@') to.sun_path[0] = '\0';
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failure(std::strerror(errno));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (name[0] == '@' ? 0 : 1));
  const auto sent = ::sendto(fd, assignments.data(), assignments.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                             reinterpret_cast<const sockaddr*>(&to), length);
  const int why = errno;
  ::close(fd);
  if (sent < 0) return failure(std::strerror(why));
  return {};
}

}  // namespace herald::systemd
