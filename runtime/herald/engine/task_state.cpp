#include <herald/engine/task_state.hpp>

#include <herald/engine/at_home.hpp>
#include <herald/engine/child_event.hpp>
#include <herald/engine/core.hpp>

namespace herald::engine {

/// On the task's process: however its life ends, that is an answer.
struct task_end final : attachment {
  explicit task_end(std::shared_ptr<task_base> t) : task{std::move(t)} {}
  std::shared_ptr<task_base> task;
  void wipe(host&) noexcept override {
    const auto why = owner->ending;
    task->fail(error{errc::down, "the task ended with " + why.to_string()}, why);
    delete this;
  }
};

/// On the owner: the end of its life ends the task.
struct task_link final : attachment {
  explicit task_link(std::shared_ptr<task_base> t) : task{std::move(t)} {}
  std::shared_ptr<task_base> task;
  void wipe(host&) noexcept override {
    task->link_ = nullptr;
    task->unlisten();
    task->stop(false);
    delete this;
  }
};

error spent_task_error() {
  return {errc::bad_option,
          "the task is empty or was awaited before; wanted: one that async has given and nobody awaited"};
}

bool task_base::placed(context& self) {
  {
    const std::lock_guard lock{mutex_};
    if (unwanted_) return false;
    where_ = self.self().where();
  }
  const runtime_entry entry;
  auto end = std::make_unique<task_end>(shared_from_this());
  at_home(entry, self.cell(), self.incarnation(),
          [end = std::unique_ptr<task_end, void (*)(task_end*)>{end.release(), [](task_end* e) { delete e; }}](
              cell& c) mutable { c.home->attach(c, *end.release()); });
  return true;
}

void task_base::fail(error why, const exit_reason& ended) noexcept {
  settle_task(true, [&] {
    ended_ = ended;
    store_failure(std::move(why));
  });
}

void task_base::link(context& self) {
  linked_ = true;
  const runtime_entry entry;
  auto made = std::make_unique<task_link>(shared_from_this());
  at_home(entry, self.cell(), self.incarnation(), [made = std::move(made)](cell& c) mutable {
    auto& kept = *made.release();
    kept.task->link_ = &kept;
    c.home->attach(c, kept);
  });
}

void task_base::unlink() noexcept {
  if (!linked_ || unlinking_.exchange(true, std::memory_order_relaxed)) return;
  const auto take_out = [task = shared_from_this()](cell& c) {
    auto* link = std::exchange(task->link_, nullptr);
    if (link == nullptr) return;
    c.home->detach(*link);
    delete link;
  };
  const runtime_entry entry;
  if (at_home(entry, *owner_.who.cell, owner_.incarnation, take_out)) return;
  post_control(owner_.who, entry.owned(), [take_out](cell* c, frame&) { take_out(*c); });
}

std::optional<error> task_base::listen(const task_owner& by, std::shared_ptr<answer_listener> l) {
  if (!(by == owner_))
    return error{errc::not_owner, owner_.who.cell != nullptr
                                      ? "the task is awaited by somebody else than the process that started it"
                                      : "the task was started by a plain thread and is awaited by a process"};
  switch (tell_to(std::move(l))) {
    case heard::yes: break;
    case heard::taken: return spent_task_error();
    case heard::by_another:
      return error{errc::bad_option, "the task is being awaited already; wanted: one await or yield at a time"};
  }
  return std::nullopt;
}

void task_base::stop(bool kill) noexcept {
  if (over()) return;
  address at;
  {
    const std::lock_guard lock{mutex_};
    unwanted_ = true;
    at = where_;
  }
  if (at.cell == nullptr) return;
  const runtime_entry entry;
  order_stop(at, kill ? exit_reason{exit_reason::killed} : exit_reason{exit_reason::shutdown}, kill, entry.owned());
}

void task_base::abandon() noexcept {
  orphaned_.store(true);
  if (over()) unlink();
}

void task_base::give_up() noexcept {
  unlisten();
  if (linked_) stop(false);
  unlink();
}

any_ref task_base::who() const {
  const std::lock_guard lock{mutex_};
  return any_ref{where_};
}
exit_reason task_base::ended() const {
  const std::lock_guard lock{mutex_};
  return ended_;
}

}  // namespace herald::engine
