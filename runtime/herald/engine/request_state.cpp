#include <herald/engine/request_state.hpp>

#include <herald/child_spec.hpp>
#include <herald/engine/core.hpp>

namespace herald::engine {

error spent_request_error() {
  return {errc::bad_option,
          "the request is empty, awaited by somebody else, or its answer was taken; wanted: one that send_request has given"};
}

bool calls_itself(address who) noexcept { return current_frame != nullptr && current_frame->current == who.cell; }

error calling_self_error(const cell& who) {
  const runtime_entry entry;
  return {errc::calling_self, "the process " + (entry.owned() != nullptr ? core::path_of(who) : std::string{who.ops->name}) +
                                  " sent itself a request; call the function directly"};
}

std::optional<error> request_base::listen(std::shared_ptr<answer_listener> l) {
  if (tell_to(std::move(l)) != heard::yes) return spent_request_error();
  return std::nullopt;
}

result<void> request_base::wait_for_answer(const time_limit& limit, const std::shared_ptr<request_base>& self) {
  if (over()) return {};  // also when its application is gone: then everything has been answered
  return wait_on_thread(*system_, limit, arm_request(self));
}

}  // namespace herald::engine
