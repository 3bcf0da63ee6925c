#pragma once
// The inside of an application: its hosts, its executor, its clock and entropy, its reports; and the place where higher
// floors hang what belongs to the whole application (the bus, the stores).

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <vector>

#include <herald/application_options.hpp>
#include <herald/engine/child_event.hpp>
#include <herald/engine/dead_letter_stream.hpp>
#include <herald/engine/directory.hpp>
#include <herald/engine/ending_log.hpp>
#include <herald/engine/executor.hpp>
#include <herald/engine/names.hpp>
#include <herald/engine/report_hub.hpp>
#include <herald/engine/stop_table.hpp>
#include <herald/engine/ticking.hpp>
#include <herald/error.hpp>

namespace herald::engine {

/// What a higher floor keeps for a whole application. Destroyed after every process has ended, in reverse order.
class core_slot {
 public:
  virtual ~core_slot() = default;
  /// The application stops: from here on publishing answers closed.
  virtual void closing() noexcept {}
  /// No process lives any more: end threads, within a limit. The names of what does not end: nothing it could touch is freed.
  [[nodiscard]] virtual std::vector<std::string> ending() { return {}; }
};

struct dead_letter_counts {
  std::array<std::atomic<std::uint64_t>, 8> by_reason{};  ///< indexed by discard_reason
};

class core {
 public:
  core(application_options options, std::unique_ptr<executor> runs);
  ~core();
  core(const core&) = delete;
  core& operator=(const core&) = delete;

  [[nodiscard]] const application_options& options() const noexcept { return options_; }
  [[nodiscard]] herald::clock& time() const noexcept { return *clock_; }
  [[nodiscard]] herald::entropy& dice() const noexcept { return *entropy_; }
  [[nodiscard]] executor& runs() const noexcept { return *executor_; }
  [[nodiscard]] depot& nodes() noexcept { return depot_; }

  /// The shared hosts, fixed for the application's life.
  [[nodiscard]] const std::vector<host*>& hosts() const noexcept { return shared_; }
  /// The next one, round robin.
  [[nodiscard]] host& next_host() noexcept;
  /// A host with a thread of its own; reused when its process has ended.
  [[nodiscard]] host& take_own_thread_host();
  void give_own_thread_host(host& h);
  /// Every host there is, the own-thread ones too.
  void each_host(const std::function<void(host&)>& f);

  void tell(report::kind_t kind, const cell& who, std::uint32_t incarnation, const exit_reason& why,
            std::string text = {});
  void tell(report r);
  [[nodiscard]] static report report_on(report::kind_t kind, const cell& who, std::uint32_t incarnation, const exit_reason& why,
                                        std::string text);
  /// What a handler that was left behind is doing now.
  [[nodiscard]] std::shared_ptr<const overrun_details> look_at(const away_record& stuck);
  [[nodiscard]] report_hub& reports() noexcept { return *reports_; }
  void count_dead_letter(const envelope& e, discard_reason why) noexcept;
  /// One that its receiver does not accept: told once for each pair of process type and message type.
  void count_unknown(const envelope& e, const cell& c, bool owner) noexcept;
  [[nodiscard]] dead_letter_stream& dead_letter_sinks() noexcept { return stream_; }
  /// Calls it at each of the clock's ticks while it lives.
  void each_tick(std::weak_ptr<ticking> what);
  [[nodiscard]] const dead_letter_counts& dead_letters() const noexcept { return dead_letters_; }

  /// No runner will come any more: what is sent from now on finds nobody, and what waits is told so.
  void end_delivery() noexcept;
  /// The same while zombies still run: what waits is left alone, because they may stand on it.
  void refuse_delivery() noexcept { ended_.store(true, std::memory_order_release); }
  [[nodiscard]] bool ended() const noexcept { return ended_.load(std::memory_order_acquire); }
  [[nodiscard]] bool closing() const noexcept { return closing_.load(std::memory_order_acquire); }
  void close();

  /// The root supervisor, from its start on.
  std::atomic<cell*> root{nullptr};
  /// The tree's root has no parent; the application hears of it here, on the root's host.
  std::function<void(child_event_kind kind, const exit_reason& why)> root_event;
  void on_root(cell& root, child_event_kind kind, const exit_reason& why);
  [[nodiscard]] directory& names() noexcept { return names_; }
  /// What the stop report will say.
  [[nodiscard]] ending_log& ending() noexcept { return *ending_; }
  /// What its processes own in registries.
  [[nodiscard]] engine::owners& owners() noexcept { return owners_; }

  /// A higher floor's object, made on first use. `key` is the address of a tag.
  [[nodiscard]] core_slot& slot(const void* key, const std::function<std::unique_ptr<core_slot>()>& make);
  [[nodiscard]] core_slot* slot_if(const void* key) noexcept;
  /// Ends what the slots run; the names of what does not end.
  [[nodiscard]] std::vector<std::string> end_slots();
  /// The stop tokens that processes have asked for.
  [[nodiscard]] stop_table& stops() noexcept { return stops_; }

  [[nodiscard]] std::uint64_t next_number() noexcept { return number_.fetch_add(1, std::memory_order_relaxed); }
  /// Handlers that were fenced off and have not come back.
  std::atomic<unsigned> zombies{0};
  std::mutex zombie_mutex;
  std::vector<std::string> zombie_paths;
  /// The root supervisor reached its restart intensity.
  std::atomic<bool> root_gave_up{false};
  [[nodiscard]] static std::string path_of(const cell& c);

  // One sweep of the watchdog over all hosts: who overruns, whose next host waits.
  void watch_over(time_point now);

 private:
  struct watched {
    std::uint64_t handler = 0;
    time_point since{};
  };
  struct stuck_t {
    std::shared_ptr<away_record> record;
    report first;  ///< whom it is about
    bool dedicated;
    time_point next;  ///< it is told again
  };
  void note_stuck(host& h, const host::overrun& taken, std::chrono::milliseconds time, time_point now);
  void tell_stuck(time_point now);
  application_options options_;
  std::unique_ptr<executor> executor_;
  herald::clock* clock_;
  herald::entropy* entropy_;
  depot depot_;
  std::unique_ptr<report_hub> reports_;
  mutable std::mutex hosts_mutex_;
  std::vector<std::unique_ptr<host>> all_;
  std::vector<host*> shared_;
  std::vector<host*> spare_own_thread_;
  std::vector<watched> watched_;
  std::vector<stuck_t> stuck_;  ///< handlers that were left behind and have not returned; the clock thread's
  std::atomic<std::uint32_t> round_robin_{0};
  std::atomic<std::uint64_t> number_{1};
  std::atomic<bool> closing_{false};
  std::atomic<bool> ended_{false};
  dead_letter_counts dead_letters_;
  std::mutex unknown_mutex_;
  std::set<std::pair<const process_ops*, const type_tag*>> unknown_;  ///< what was told; bounded by the program's types
  dead_letter_stream stream_{*this};
  std::mutex ticks_mutex_;
  std::vector<std::weak_ptr<ticking>> ticks_;
  void tick();
  directory names_;
  stop_table stops_;
  engine::owners owners_;
  std::shared_ptr<ending_log> ending_ = std::make_shared<ending_log>();
  std::shared_mutex slots_mutex_;
  std::vector<std::pair<const void*, std::unique_ptr<core_slot>>> slots_;
};

}  // namespace herald::engine
