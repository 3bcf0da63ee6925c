// Raw CAF: how soon a busy actor has ended. Mirrors runtime_endings.cpp.
#include "caf_baseline.hpp"
#include "caf_environment.hpp"

namespace bench::caf_baseline {

namespace {

/// Computes for a millisecond a message.
class busy : public caf::event_based_actor {
 public:
  busy(caf::actor_config& cfg, countdown* begun, countdown* ended) : event_based_actor{cfg}, begun_{begun}, ended_{ended} {}
  caf::behavior make_behavior() override {
    return {[this](number) {
      if (seen_++ == 0) begun_->hit();
      const auto end = now_ns() + 1'000'000;
      while (now_ns() < end) {
      }
    }};
  }
  void on_exit() override { ended_->hit(); }

 private:
  countdown* begun_;
  countdown* ended_;
  number seen_ = 0;
};

}  // namespace

sample busy_stop(std::int64_t messages) {
  countdown begun{1}, ended{1};
  environment actors;
  const auto who = actors.spawn<busy>(&begun, &ended);
  const auto content = caf::make_message(number{1});
  for (std::int64_t i = 0; i < messages; ++i) deliver(who, content);
  begun.wait();
  const stopwatch watch;
  caf::anon_send_exit(who, caf::exit_reason::user_shutdown);
  ended.wait();
  auto result = watch.stop();
  result.value = result.wall_s * 1e3;
  return result;
}

}  // namespace bench::caf_baseline
