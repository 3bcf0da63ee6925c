// How a process begins and ends on its host: init, crash, stop, the order of its end. That order is the contract of DESIGN
// 3.3: timers and pending calls off, terminate (not on kill), destructor, then the notices.

#include <stdexcept>
#include <utility>

#include <herald/child_spec.hpp>
#include <herald/context.hpp>
#include <herald/describe.hpp>
#include <herald/engine/child_event.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/crash_text.hpp>
#include <herald/engine/debt.hpp>
#include <herald/engine/extras.hpp>
#include <herald/engine/fault_source.hpp>
#include <herald/engine/operation.hpp>
#include <herald/engine/start_error.hpp>
#include <herald/engine/suspension.hpp>
#include <herald/engine/supervisor_state.hpp>
#include <herald/engine/survey.hpp>
#include <herald/engine/watch.hpp>

namespace herald::engine {

cell& host::make_cell(std::shared_ptr<const child_spec> spec, std::shared_ptr<const void> args, const process_ops& ops,
                      address parent, void* cookie, std::shared_ptr<const std::string> parent_path) {
  auto& c = cells_.take(ops.size, ops.align);
  if (survey_ != nullptr) survey_->leave_out(c);
  if (c.home == nullptr) c.home = this;  // never written again: whoever holds a ref to an earlier process reads it anywhere
  c.busy = busy_idle;
  c.incarnation = 0;
  c.ops = &ops;
  c.status = cell_status::ended;
  c.limit = spec->options.mailbox.when_full == unbounded ? ~std::uint32_t{0} : spec->options.mailbox.limit;
  c.overflow = static_cast<std::uint8_t>(spec->options.mailbox.when_full);
  c.drops_while_ended = spec->options.on_restart == drop;
  c.refuses_calls_while_ended = spec->options.backoff.first.count() > 0;
  c.spec = std::move(spec);
  c.args = std::move(args);
  c.parent = parent;
  c.cookie = cookie;
  c.parent_path = std::move(parent_path);
  c.handled = 0;
  c.dropped = 0;
  c.restarts = 0;
  c.crashed_on = nullptr;
  c.poison = nullptr;
  c.phase = user_phase::handler;
  ++living_;
  return c;
}

void host::free_cell(cell& c) {
  before_change(c);
  rest_cell(c);
  for (auto& s : slots_)
    if (s) s->cell_gone(c);
  c.generation.store(c.generation.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  c.status = cell_status::free;
  c.spec.reset();
  c.args.reset();
  c.parent_path.reset();
  c.ending = {};
  delete std::exchange(c.extras, nullptr);
  c.busy = busy_idle;
  // A cell in the ready list or with a zombie in its room waits for the loop and the zombie; it is not reused before.
  if (!c.ready && !c.room_taken) cells_.give_back(c);
  if (--living_ == 0 && dedicated) system_.give_own_thread_host(*this);
}

template <class F>
host::user_end host::call_user(cell& c, frame& f, user_phase phase, F&& code, exit_reason& why) {
  c.phase = phase;
  f.in_hand = f.kept;
  bool threw = false;
  enter_user(f, c);
  try {
    code();
  } catch (const start_ignored&) {
    threw = true;
    why = exit_reason{exit_reason::kind_t::custom, ignored_word};
  } catch (const start_refused& refused) {
    threw = true;
    why = exit_reason{exit_reason::kind_t::custom, refused.why};
  } catch (...) {
    threw = true;
    why = crash_of_current_exception();
  }
  if (!leave_user(f)) {
    rejoin(f, phase, nullptr, threw, why, nullptr);
    return user_end::lost;
  }
  c.phase = user_phase::handler;
  return threw ? user_end::threw : user_end::returned;
}

void host::visit(cell& c, frame& f, const std::function<void()>& code) {
  exit_reason none;
  if (call_user(c, f, user_phase::handler, code, none) != user_end::lost) settle(c, f);
}

void host::start_incarnation(cell& c, frame& f) {
  ++c.incarnation;
  c.status = cell_status::starting;
  c.ending = {};
  c.busy = (c.busy & busy_lasting) | busy_idle | (c.ops->idle != nullptr ? busy_idles : 0u);
  c.own_block = c.size_class == 0 || c.room_taken;
  c.state = slab::state_room(c, c.ops->size, c.ops->align, c.own_block);
  auto* self = ::new (static_cast<std::byte*>(c.state) - context_size) context(c, c.incarnation);
  if (c.ops->supervisor) {
    c.ops->construct(c.state, *self, nullptr);
    c.status = cell_status::running;
    c.busy &= ~std::uint32_t{busy_idle};
    supervisor_of(c).begin(f);
    return;
  }
  exit_reason why;
  std::optional<std::string> fault;
  if (system_.options().faults != nullptr) fault = system_.options().faults->before_init(c);
  const auto args = c.args;  // an init that is fenced off still reads them when the cell is long another's
  // Read before user code begins: from there on the host may be another thread's, and the cell be fenced.
  const auto* ops = c.ops;
  auto* state = c.state;
  const auto name = c.spec->options.via;
  const auto init = [&] {
    if (fault) throw std::runtime_error{*fault};
    if (name) name.claim(*self, own_args(*ops, args.get()));
    ops->construct(state, *self, args.get());
  };
  const auto how = call_user(c, f, user_phase::init, init, why);
  if (how != user_end::lost) after_init(c, f, how == user_end::threw, why);
}

void host::after_init(cell& c, frame& f, bool threw, const exit_reason& why) {
  const bool again = c.incarnation > 1;
  if (threw) {
    wipe_attachments(c);
    debt::end_all(c);
    if (c.extras != nullptr) c.extras->life_over(c);
    return_stash(c);
    free_state(c);
    if (c.named.load(std::memory_order_relaxed)) system_.owners().owner_ended(c);
    c.status = cell_status::ended;
    c.ending = why;
    for (auto& s : slots_)
      if (s) s->incarnation_failed(c);
    const bool ignored = why.kind() == exit_reason::custom && why.text() == ignored_word;
    if (!ignored) system_.tell(report::start_failed, c, c.incarnation, why);
    tell_watchers_life_over(c, &f);
    tell_parent(c, ignored ? child_event_kind::ignored : child_event_kind::start_failed, why, &f);
    return;
  }
  c.status = cell_status::running;
  c.busy &= ~std::uint32_t{busy_idle};
  for (auto& s : slots_)
    if (s) s->incarnation_started(c);
  if (again) {
    ++c.restarts;
    count_one(restarts_);
    c.poison = nullptr;
    tell_watchers_restarted(c, &f);
  }
  if (c.spec->options.restart == temporary) c.args.reset();  // never needed again
  if (again) system_.tell(report::restarted, c, c.incarnation, {});
  tell_parent(c, child_event_kind::started, {}, &f);
  if ((c.busy & busy_after) != 0) static_cast<void>(after_handler(c, f, nullptr));
  if ((c.busy & busy_ending) != 0) {
    end_life(c, f, c.ending, true);
  } else if (c.mail.head != nullptr) {
    make_ready(c);
  }
}

void host::stop_cell(cell& c, frame& f, const exit_reason& why, bool kill) {
  if (c.status == cell_status::ended && c.phase == user_phase::handler) return;  // its down is on the way
  if (c.status == cell_status::resting || c.status == cell_status::free) return;
  if (c.ops->supervisor) {
    supervisor_of(c).stop(f, why, kill);
    return;
  }
  if ((c.busy & busy_away) != 0) {
    if (kill) {
      fence(c);
    } else if ((c.busy & busy_ending) == 0) {
      c.ending = why;
      c.busy |= busy_ending;
    }
    return;
  }
  if (c.status == cell_status::ended) return;
  if (!kill && c.ops->asked != nullptr && c.status == cell_status::running) return ask_to_end(c, f, why);
  end_life(c, f, kill ? exit_reason{exit_reason::killed} : why, !kill);
}

void host::ask_to_end(cell& c, frame& f, const exit_reason& why) {
  if (std::exchange(extras_of(c).asked_to_stop, true)) return;
  exit_reason crash;
  const auto told = why;  // one that is left behind still reads it
  const auto how = call_user(
      c, f, user_phase::handler, [ops = c.ops, state = c.state, &self = context_of(c), &told] { ops->asked(state, self, told); },
      crash);
  if (how == user_end::lost) return;
  if (how == user_end::threw) return crashed(c, f, nullptr, crash);
  settle(c, f);
}

void host::crashed(cell& c, frame& f, const type_tag* on, const exit_reason& why) {
  if (on != nullptr) {
    if (c.crashed_on == on) c.poison = on;
    c.crashed_on = on;
    c.busy |= busy_suspect;
  }
  end_life(c, f, why, true);
}

void host::end_life(cell& c, frame& f, const exit_reason& why, bool run_terminate) {
  c.status = cell_status::ended;
  c.busy |= busy_idle | busy_ending;
  c.ending = why;
  wipe_attachments(c);
  if ((c.busy & busy_awaiting) != 0) {
    c.extras->terminates = run_terminate;
    if (!end_suspended(c, f)) return;
  }
  end_terminate(c, f, run_terminate);
}

bool host::end_suspended(cell& c, frame& f) {
  take_up(c, f);
  auto* s = std::exchange(f.suspended, nullptr);
  exit_reason none;
  if (call_user(c, f, user_phase::frames, [s] { s->destroy(*s); }, none) == user_end::lost) return false;
  f.delivery = nullptr;
  f.in_hand = nullptr;
  c.busy &= ~std::uint32_t{busy_awaiting};
  end_envelope(std::exchange(f.kept, nullptr), f, &f, &c.ending);
  return true;
}

namespace {

/// For the report: the process's own words. What they throw is told with them.
void describe_state(const process_ops& ops, const void* state, description& into) {
  try {
    ops.describe(state, into);
  } catch (...) {
    into.add("describe() threw", std::string{crash_of_current_exception().text()});
  }
}

}  // namespace

void host::end_terminate(cell& c, frame& f, bool run_terminate) {
  const bool describes = run_terminate && c.ops->describe != nullptr && c.ending.kind() == exit_reason::crash;
  if (run_terminate && (c.ops->terminate != nullptr || describes)) {
    exit_reason worse;
    const auto told = c.ending;  // a terminate that is fenced off still reads it
    std::shared_ptr<description> words;
    if (describes) words = extras_of(c).last_state = std::make_shared<description>();
    const auto how = call_user(
        c, f, user_phase::terminate,
        [ops = c.ops, state = c.state, &self = context_of(c), &told, &words] {
          if (words) describe_state(*ops, state, *words);
          if (ops->terminate != nullptr) ops->terminate(state, self, told);
        },
        worse);
    if (how == user_end::lost) return;
    if (how == user_end::threw) c.ending = worse;
  }
  finish_end(c, f);
}

void host::finish_end(cell& c, frame& f) {
  wipe_attachments(c);  // terminate may have armed something
  exit_reason none;
  const auto destroy = [ops = c.ops, state = c.state] { ops->destroy(state); };
  if (call_user(c, f, user_phase::destroy, destroy, none) == user_end::lost) return;
  free_state(c);
  after_destroy(c);
}

void host::free_state(cell& c) noexcept {
  if (c.state != nullptr && c.own_block) slab::free_block(c.state, c.ops->size, c.ops->align);
  c.state = nullptr;
  c.own_block = false;
}

void host::after_destroy(cell& c) {
  auto* f = current_frame;
  wipe_attachments(c);  // the destructor may have armed something, too
  if (c.named.load(std::memory_order_relaxed)) system_.owners().owner_ended(c);
  debt::end_all(c);
  if (c.extras != nullptr) c.extras->life_over(c);
  return_stash(c);
  c.busy = (c.busy & busy_lasting) | busy_idle;
  for (auto& s : slots_)
    if (s) s->incarnation_ended(c);
  if (c.poison != nullptr) clear_mail(c, discard_reason::poison, &c.ending, c.poison);
  if (c.drops_while_ended || c.refuses_calls_while_ended) clear_mail(c, discard_reason::restarting, &c.ending);
  if (!c.ending.clean() && !c.ops->supervisor) count_one(crashes_);
  if (!c.ops->supervisor) {
    auto told = system_.report_on(c.ending.clean() ? report::ended : report::crashed, c, c.incarnation, c.ending, {});
    if (c.extras != nullptr) told.state = std::move(c.extras->last_state);
    system_.tell(std::move(told));
  }
  tell_watchers_life_over(c, f);
  const bool failed_start = std::exchange(c.start_failed, false);
  tell_parent(c, failed_start ? child_event_kind::start_failed : child_event_kind::down, c.ending, f);
}

void host::rest_cell(cell& c) {
  if (c.status == cell_status::resting || c.status == cell_status::free) return;
  c.status = cell_status::resting;
  const auto why = c.ending;
  clear_mail(c, discard_reason::noproc, &why);
  if (c.extras != nullptr && c.extras->kept != nullptr) release_kept(c, current_frame);
  for (auto& s : slots_)
    if (s) s->cell_gone(c);
  tell_watchers_gone(c, current_frame);
}

void host::clear_mail(cell& c, discard_reason why, const exit_reason* because, const type_tag* only) {
  envelope_queue keep;
  std::uint32_t kept = 0;
  while (!c.mail.empty()) {
    auto* e = c.mail.pop();
    const auto kind = e->ops->kind;
    bool goes = kind < envelope_kind::notice || why == discard_reason::noproc;
    if (only != nullptr) goes = e->ops->type == only;
    if (why == discard_reason::restarting && !c.drops_while_ended) goes = kind == envelope_kind::call;
    if (goes) {
      e->ops->discard(e, why, because);
    } else {
      keep.push(e);
      ++kept;
    }
  }
  c.mail = keep;
  c.depth.store(kept, std::memory_order_relaxed);
  if (kept == 0) c.busy &= ~std::uint32_t{busy_mail};
}

}  // namespace herald::engine
