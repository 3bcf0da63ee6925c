#include <herald/engine/caf_seam.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>

#include <caf/all.hpp>

#include <herald/engine/caf_words.hpp>

namespace herald::engine {

namespace {

struct configuration : caf::actor_system_config {
  explicit configuration(unsigned workers) {
    caf_words::share_work(*this);
    caf_words::configure(*this, "max-threads", workers);
    caf_words::configure(*this, "max-throughput", 16);
  }
};

/// A thread on which one function at a time is run to its end. CAF 0.17 leaves a reference to a system's logger in each
/// thread that makes, spawns into or destroys that system, and the system's destructor waits for all of them: done on
/// the user's threads, a stop on another thread than the start's would hang for ever.
class errand_thread {
 public:
  errand_thread() : thread_{[this] { serve(); }} { ::pthread_setname_np(thread_.native_handle(), "herald-caf"); }
  ~errand_thread() { end(); }
  /// It stands in something that does not end.
  void leave() { thread_.detach(); }
  /// Ends the thread, and with it what CAF keeps in it: a user's system waits for that, and an application with zombies
  /// is not destroyed.
  void end() {
    if (!thread_.joinable()) return;
    run(nullptr);
    thread_.join();
  }
  errand_thread(const errand_thread&) = delete;
  errand_thread& operator=(const errand_thread&) = delete;

  /// False: not done within the limit; it goes on, and this object and what `f` uses must be left to it.
  bool run(std::function<void()> f, std::chrono::seconds limit = std::chrono::hours{24}) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return !busy_; });
    errand_ = std::move(f);
    busy_ = true;
    const auto mine = ++number_;
    changed_.notify_all();
    return changed_.wait_for(lock, limit, [&] { return done_ >= mine; });
  }

 private:
  void serve() {
    std::unique_lock lock{mutex_};
    for (bool ending = false; !ending;) {
      changed_.wait(lock, [&] { return busy_; });
      const auto f = std::exchange(errand_, nullptr);
      lock.unlock();
      ending = f == nullptr;
      if (f) f();
      lock.lock();
      busy_ = false;
      done_ = number_;
      changed_.notify_all();
    }
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> errand_;
  bool busy_ = false;
  std::uint64_t number_ = 0;
  std::uint64_t done_ = 0;
  std::thread thread_;
};

}  // namespace

struct caf_seam::impl {
  impl(caf::actor_system* theirs, unsigned workers, void* who, body r, lost l)
      : owner{who}, run{r}, on_lost{l}, token{caf::make_message(std::int32_t{1})}, system{theirs} {
    if (theirs != nullptr) return;
    caf_words::init_types();
    errands.run([&] {
      config = std::make_unique<configuration>(workers);
      own = std::make_unique<caf::actor_system>(*config);
    });
    system = own.get();
  }

  caf::actor spawn(std::size_t number) {
    // With arguments: CAF 0.17 dereferences a null pointer to them when there are none.
    auto a = system->spawn(
        [](caf::event_based_actor* self, impl* seam, std::size_t runner) -> caf::behavior {
          return {[seam, runner, self](std::int32_t) { seam->run(seam->owner, runner, self->context()); }};
        },
        this, number);
    caf::actor_cast<caf::abstract_actor*>(a)->attach_functor([this, number] {
      if (ending.load(std::memory_order_acquire)) return;
      {
        const std::lock_guard lock{mutex};
        runners[number] = spawn(number);
      }
      on_lost(owner, number);
    });
    return a;
  }

  void shut_down(bool abandon) {
    ending.store(true, std::memory_order_release);
    std::vector<caf::actor> ended;
    {
      const std::lock_guard lock{mutex};
      ended.swap(runners);
    }
    {
      caf::scoped_actor waiter{*system};
      for (const auto& r : ended) caf::anon_send_exit(r, caf::exit_reason::user_shutdown);
      if (!abandon) waiter->wait_for(ended);
    }
    ended.clear();
    if (abandon || leave) {
      // A worker stands in user code and cannot be joined, or somebody's actor does not end: the system, and what its actors refer to, are left to it.
      static_cast<void>(own.release());
      static_cast<void>(config.release());
      return;
    }
    own.reset();
    config.reset();
  }

  void* owner;
  body run;
  lost on_lost;
  caf::message token;
  caf::actor_system* system;
  std::unique_ptr<configuration> config;
  std::unique_ptr<caf::actor_system> own;
  std::atomic<bool> ending{false};
  bool leave = false;  ///< by the thread that shuts down
  std::mutex mutex;  // guards runners; taken for a wake-up only, never per message
  std::vector<caf::actor> runners;
  errand_thread errands;
};

caf_seam::caf_seam(caf::actor_system* theirs, unsigned workers, void* owner, body run, lost on_lost)
    : impl_{std::make_unique<impl>(theirs, workers, owner, run, on_lost)} {}

caf_seam::~caf_seam() = default;

std::size_t caf_seam::add_runner() {
  std::size_t number = 0;
  impl_->errands.run([&] {
    const std::lock_guard lock{impl_->mutex};
    number = impl_->runners.size();
    impl_->runners.push_back(impl_->spawn(number));
  });
  return number;
}

void caf_seam::wake(std::size_t runner, void* execution) {
  // Under the lock, without a handle of our own: the last handle must go before the system does, on the seam's thread.
  const std::lock_guard lock{impl_->mutex};
  if (runner >= impl_->runners.size()) return;
  caf_words::enqueue(impl_->runners[runner], impl_->token, static_cast<caf_words::execution_t*>(execution));
}

caf::actor_system& caf_seam::system() const noexcept { return *impl_->system; }

void caf_seam::with(const std::function<void(caf::actor_system&)>& f) {
  if (impl_->own == nullptr) return f(*impl_->system);
  impl_->errands.run([&] { f(*impl_->system); });
}

void caf_seam::post(const caf::actor& to, const caf::message& content) { caf_words::enqueue(to, content, nullptr); }

namespace {
constexpr std::chrono::seconds patience{2};
}

void caf_seam::leave_system() noexcept { impl_->leave = true; }

bool caf_seam::shut_down(bool abandon) {
  auto* i = impl_.get();
  caf_words::forget_system();
  if (i->errands.run([i, abandon] { i->shut_down(abandon); }, patience)) {
    i->errands.end();
    return true;
  }
  // Some thread of the user's still holds on to our system (a scoped_actor in CAF 0.17 does): it is left to that.
  i->errands.leave();
  static_cast<void>(impl_.release());
  return false;
}

const char* caf_seam::version() noexcept { return caf_words::version; }

}  // namespace herald::engine
