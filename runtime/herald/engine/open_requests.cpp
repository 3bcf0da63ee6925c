#include <herald/engine/open_requests.hpp>

#include <stdexcept>

namespace herald::engine {

void refuse_to_add() {
  throw std::logic_error{"the request is empty, waited for, or was added or answered before; wanted: one that send_request "
                         "has given"};
}

struct open_requests_base::arrival final : answer_listener {
  arrival(std::weak_ptr<open_requests_base> of, std::uint64_t n) : table{std::move(of)}, number{n} {}
  std::weak_ptr<open_requests_base> table;
  std::uint64_t number;
  void ready(bool) noexcept override {
    if (const auto found = table.lock()) found->note(number);
  }
};

std::shared_ptr<answer_listener> open_requests_base::listener_of(std::uint64_t number) {
  return std::make_shared<arrival>(weak_from_this(), number);
}

void open_requests_base::note(std::uint64_t number) {
  std::optional<reply_once<void>> to;
  {
    const std::lock_guard lock{mutex_};
    came_.push_back(number);
    to.swap(waiting_);
  }
  if (to) to->answer({});
}

void open_requests_base::arm(reply_once<void> to) {
  result<void> at_once;
  {
    const std::lock_guard lock{mutex_};
    if (open() == 0) {
      at_once = error{errc::not_found, "the collection has no open request"};
    } else if (waiting_) {
      at_once = error{errc::bad_option, "the collection is waited for already; wanted: one wait at a time"};
    } else if (came_.empty()) {
      waiting_.emplace(std::move(to));
      return;
    }
  }
  to.answer(std::move(at_once));
}

void open_requests_base::stop_waiting() noexcept {
  std::optional<reply_once<void>> dropped;
  const std::lock_guard lock{mutex_};
  dropped.swap(waiting_);
}

void open_requests_base::tell_given_up() {
  std::optional<reply_once<void>> to;
  {
    const std::lock_guard lock{mutex_};
    to.swap(waiting_);
  }
  if (to) to->answer(error{errc::not_found, "the collection's requests were given up"});
}

result<void> open_requests_base::wait_for_next(const time_limit& limit, const std::shared_ptr<open_requests_base>& self) {
  core* system = nullptr;
  {
    const std::lock_guard lock{mutex_};
    if (!came_.empty()) return {};
    if (open() == 0) return error{errc::not_found, "the collection has no open request"};
    system = system_;
  }
  return wait_on_thread(*system, limit, arm_open(self));
}

}  // namespace herald::engine
