#include "relay.hpp"

#include "chaos_plan.hpp"
#include "final_check.hpp"
#include "proc_host.hpp"
#include "record_offset.hpp"
#include "resources.hpp"
#include "tree.hpp"
#include "workspace.hpp"

#include <cstdio>
#include <random>
#include <thread>

#include <unistd.h>

namespace telemetry {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

// Says it, and gives the exit code that goes with it.
int complain(const std::string& sentence) {
  (void)write_fully(STDERR_FILENO, "herald-telemetry: " + sentence + "\n");
  return 1;
}

// A record that goes on must be one of this database's log.
herald::result<void> belongs_together(const workspace& files, const herald::store& store) {
  const auto record = record_file::open(files.record());
  if (!record) return record.error();
  if (!record->last()) return {};
  const auto last = stored(*record->last());
  const auto head = store.head();
  if (last && last->epoch == head.epoch && last->sequence <= head.sequence) return {};
  return herald::error{record_errc::not_a_record,
                       "record file \"" + files.record() + "\" belongs to another database than \"" + files.database() +
                           "\": its last offset is " + record->last()->epoch + "-" +
                           std::to_string(record->last()->sequence) + ", the log's is " + head.to_string() +
                           "; give the --db it belongs to, or another --record"};
}

// Kills, until the time is over or somebody wants the end.
class killer {
 public:
  killer(double rate, std::uint64_t seed, std::vector<worker> victims, restart_tally& tally)
      : plan_{rate > 0 ? rate : 1, seed},
        active_{rate > 0 && !victims.empty()},
        victims_{std::move(victims)},
        tally_{tally} {
    next_ = clock::now() + plan_.pause();
  }
  [[nodiscard]] clock::time_point next() const { return active_ ? next_ : clock::time_point::max(); }
  void kill_if_due(clock::time_point now) {
    if (!active_ || now < next_) return;
    const auto& victim = victims_[plan_.victim(victims_.size())];
    tally_.killed();
    (void)victim.parent.kill_child(victim.who, 1s);  // one that is just being restarted dies another time
    next_ += plan_.pause();
  }

 private:
  chaos_plan plan_;
  bool active_;
  std::vector<worker> victims_;
  restart_tally& tally_;
  clock::time_point next_;
};

// Brings the run to rest: those who write to the store end first; then what they had asked for is committed, since the
// writer answers in turn; then the recorder gets the time to write the last of it.
void come_to_rest(const herald::application& app, const herald::store& store) {
  for (const auto* area : {"samplers", "analysis"}) (void)app.root().terminate_child(area, 10s);
  (void)store.transact([](herald::transaction&) -> herald::result<int> { return 0; });
  const auto head = store.head().sequence;
  const auto until = clock::now() + 10s;
  while (clock::now() < until && !app.ended()) {
    const auto written = app.find<recorder>("output/recorder").call(get_progress{}, 1s);
    if (written && written->sequence >= head) return;
    std::this_thread::sleep_for(5ms);
  }
}

struct outcome {
  bool stopped_well = true;
  std::uint64_t restarts = 0;
};

// The application's life. When it returns, nothing of it is left, and the store is closed.
outcome live(const options& run, herald::store store, view_model first, const signal_watch& signals,
             const std::shared_ptr<screen>& on) {
  const auto started = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto tally = std::make_shared<restart_tally>();
  const surroundings around{.store = store, .host = first.host, .interval = run.interval};
  herald::application app{make_tree({around, first.record, {around, first, started, on, tally}, run.chaos}),
                          {.sinks = {[tally](const herald::report& report) { tally->take(report); }}}};
  if (const auto up = app.try_start(); !up) {
    on->live.reset();
    complain(up.error().message());
    return {.stopped_well = false};
  }
  auto shape = shape_of(app, "telemetry");
  tally->shape(shape.places);

  killer chaos{run.chaos, first.seed, std::move(shape.workers), *tally};
  const auto end = run.seconds ? clock::now() + *run.seconds : clock::time_point::max();
  while (!app.ended() && !on->gone.load()) {
    const auto now = clock::now();
    if (now >= end) break;
    chaos.kill_if_due(now);
    const auto next = std::min({end, chaos.next(), now + 100ms});
    if (signals.wait(next - clock::now())) break;
  }
  signals.hasten([on] { on->live.reset(); });
  come_to_rest(app, store);
  const auto stopped = app.stop();
  app.flush_reports();
  on->live.reset();
  if (run.output == output_mode::automatic)
    for (const auto& sentence : around.trouble->all()) complain(sentence);
  for (const auto& failure : tally->failures()) complain(failure);
  for (const auto& zombie : stopped.zombies) complain(zombie + " did not end and was left behind");
  return {!stopped.gave_up && stopped.zombies.empty(), tally->total()};
}

}  // namespace

int run(const options& run, const signal_watch& signals) {
  auto files = workspace::prepare(run);
  if (!files) return complain(files.error().message());
  auto store = open_store(files->database());
  if (!store) return complain(store.error().message());
  if (const auto fits = belongs_together(*files, *store); !fits) return complain(fits.error().message());

  view_model first;
  first.host = read_facts("/proc").name;
  first.limit = run.seconds;
  first.chaos = run.chaos;
  first.seed = run.seed.value_or(std::random_device{}());
  first.database = files->database();
  first.record = files->record();

  const auto on = std::make_shared<screen>();
  on->json = run.output == output_mode::json;
  const line_format format{on->json};
  if (run.output == output_mode::automatic && is_live_terminal(STDOUT_FILENO))
    on->live = std::make_unique<live_terminal>(STDOUT_FILENO, look_from_environment());
  else
    on->line(format.opening(first));

  const auto how = live(run, std::move(*store), std::move(first), signals, on);
  store =
      herald::error{herald::resource_errc::closed, "the run is over"};  // its last copy: the file is free to be read
  const auto counts = compare(files->database(), files->record());
  if (!counts) {
    files->keep();
    return complain(counts.error().message());
  }
  on->line(format.check(*counts, how.restarts));
  if (counts->clean() && how.stopped_well) return 0;
  files->keep();
  if (!counts->clean())
    complain("the record " + files->record() + " and the log of " + files->database() +
             " differ: " + counts->complaints());
  return 1;
}

}  // namespace telemetry
