#include <herald/engine/caf_seam.hpp>

#include <atomic>
#include <mutex>
#include <vector>

#include <caf/all.hpp>

namespace herald::engine {

namespace {

#if CAF_MAJOR_VERSION >= 1
using execution_t = caf::scheduler;
constexpr const char* caf_name = "1";
void configure(caf::actor_system_config& config, unsigned workers) {
  config.set("caf.scheduler.max-threads", workers);
  config.set("caf.scheduler.policy", "sharing");
  config.set("caf.scheduler.max-throughput", 16);
}
void init_types() {
  caf::core::init_global_meta_objects();
}
void enqueue(const caf::actor& to, const caf::message& m, execution_t* execution) {
  caf::actor_cast<caf::abstract_actor*>(to)->enqueue(
      caf::make_mailbox_element(nullptr, caf::make_message_id(), m), execution);
}
#else
using execution_t = caf::execution_unit;
constexpr const char* caf_name = "0.17";
void configure(caf::actor_system_config& config, unsigned workers) {
  // The stealing policy polls while idle and walks its queues on bursts.
  config.set("scheduler.max-threads", workers);
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-throughput", 16);
}
void init_types() {}
void enqueue(const caf::actor& to, const caf::message& m, execution_t* execution) {
  caf::actor_cast<caf::abstract_actor*>(to)->enqueue(nullptr, caf::make_message_id(), m, execution);
}
#endif

struct configuration : caf::actor_system_config {
  explicit configuration(unsigned workers) { configure(*this, workers); }
};

}  // namespace

struct caf_seam::impl {
  impl(caf::actor_system* theirs, unsigned workers, void* who, body r, lost l)
      : owner{who}, run{r}, on_lost{l}, token{caf::make_message(std::int32_t{1})} {
    if (theirs != nullptr) {
      system = theirs;
      return;
    }
    init_types();
    config = std::make_unique<configuration>(workers);
    own = std::make_unique<caf::actor_system>(*config);
    system = own.get();
  }

  caf::actor spawn(std::size_t number) {
    auto a = system->spawn([this, number](caf::event_based_actor* self) -> caf::behavior {
      return {[this, number, self](std::int32_t) { run(owner, number, self->context()); }};
    });
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

  void* owner;
  body run;
  lost on_lost;
  caf::message token;
  std::unique_ptr<configuration> config;
  std::unique_ptr<caf::actor_system> own;
  caf::actor_system* system = nullptr;
  std::atomic<bool> ending{false};
  std::mutex mutex;  // guards runners; taken for a wake-up only, never per message
  std::vector<caf::actor> runners;
};

caf_seam::caf_seam(caf::actor_system* theirs, unsigned workers, void* owner, body run, lost on_lost)
    : impl_{std::make_unique<impl>(theirs, workers, owner, run, on_lost)} {}

caf_seam::~caf_seam() = default;

std::size_t caf_seam::add_runner() {
  const std::lock_guard lock{impl_->mutex};
  impl_->runners.push_back(impl_->spawn(impl_->runners.size()));
  return impl_->runners.size() - 1;
}

void caf_seam::wake(std::size_t runner, void* execution) {
  caf::actor to;
  {
    const std::lock_guard lock{impl_->mutex};
    if (runner >= impl_->runners.size()) return;
    to = impl_->runners[runner];
  }
  enqueue(to, impl_->token, static_cast<execution_t*>(execution));
}

void caf_seam::shut_down(bool abandon) {
  impl_->ending.store(true, std::memory_order_release);
  std::vector<caf::actor> runners;
  {
    const std::lock_guard lock{impl_->mutex};
    runners.swap(impl_->runners);
  }
  {
    caf::scoped_actor waiter{*impl_->system};
    for (const auto& r : runners) caf::anon_send_exit(r, caf::exit_reason::user_shutdown);
    if (!abandon) waiter->wait_for(runners);
  }
  runners.clear();
  if (abandon) {
    static_cast<void>(impl_->own.release());
    static_cast<void>(impl_.release());
    return;
  }
  impl_->own.reset();
  impl_->config.reset();
}

const char* caf_seam::version() noexcept { return caf_name; }

}  // namespace herald::engine
