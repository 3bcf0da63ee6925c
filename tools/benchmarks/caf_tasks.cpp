// Raw CAF: an actor a task, and a plain thread that blocks for an actor.
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "caf_baseline.hpp"
#include "caf_environment.hpp"

namespace bench::caf_baseline {

namespace {

/// Computes one answer and ends.
class one_answer : public caf::event_based_actor {
 public:
  explicit one_answer(caf::actor_config& cfg) : event_based_actor{cfg} {}
  caf::behavior make_behavior() override {
    return {[this](number value) {
      quit();
      return value + 1;
    }};
  }
};

/// Spawns an actor for each answer.
class task_owner : public caf::event_based_actor {
 public:
  task_owner(caf::actor_config& cfg, number rounds, countdown* finished)
      : event_based_actor{cfg}, left_{rounds}, done_{finished} {}
  caf::behavior make_behavior() override {
    return {[this](number) { next(); }};
  }

 private:
  void next() {
    ask(this, spawn<one_answer>(), sum_).then([this](number value) {
      sum_ = value;
      if (--left_ == 0)
        done_->hit();
      else
        next();
    });
  }
  number left_;
  number sum_ = 0;
  countdown* done_;
};

/// What a CAF program that must block has: a thread with a queue, which answers by message.
class worker_thread {
 public:
  worker_thread() : thread_{[this] { run(); }} {}
  worker_thread(const worker_thread&) = delete;
  worker_thread& operator=(const worker_thread&) = delete;
  ~worker_thread() {
    {
      const std::lock_guard lock{mutex_};
      over_ = true;
    }
    more_.notify_one();
    thread_.join();
  }
  void add(caf::actor who, number value) {
    {
      const std::lock_guard lock{mutex_};
      queue_.emplace_back(std::move(who), value);
    }
    more_.notify_one();
  }

 private:
  void run() {
    for (;;) {
      std::unique_lock lock{mutex_};
      more_.wait(lock, [this] { return over_ || !queue_.empty(); });
      if (queue_.empty()) return;
      const auto [who, value] = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      deliver(who, caf::make_message(value + 1));
    }
  }
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<std::pair<caf::actor, number>> queue_;
  bool over_ = false;
  std::thread thread_;
};

class thread_user : public caf::event_based_actor {
 public:
  thread_user(caf::actor_config& cfg, worker_thread* worker, number rounds, countdown* finished)
      : event_based_actor{cfg}, worker_{worker}, left_{rounds}, done_{finished} {}
  caf::behavior make_behavior() override {
    return {[this](number value) {
      sum_ += value;
      if (left_-- == 0)
        done_->hit();
      else
        worker_->add(caf::actor_cast<caf::actor>(this), sum_);
    }};
  }

 private:
  worker_thread* worker_;
  number left_;
  number sum_ = 0;
  countdown* done_;
};

}  // namespace

sample spawn_and_request(std::int64_t rounds) {
  countdown done{1};
  environment env;
  const auto owner = env.spawn<task_owner>(rounds, &done);
  const stopwatch watch;
  deliver(owner, caf::make_message(number{1}));
  done.wait();
  return per(watch, static_cast<double>(rounds));
}

sample thread_round_trip(std::int64_t rounds) {
  countdown done{1};
  environment env;
  worker_thread worker;
  const auto user = env.spawn<thread_user>(&worker, rounds, &done);
  const stopwatch watch;
  deliver(user, caf::make_message(number{1}));
  done.wait();
  return per(watch, static_cast<double>(rounds));
}

}  // namespace bench::caf_baseline
