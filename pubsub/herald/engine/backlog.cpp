#include <herald/engine/backlog.hpp>

#include <new>

#include <herald/engine/aside.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/event_entry.hpp>
#include <herald/engine/fan_out.hpp>
#include <herald/engine/nodes.hpp>
#include <herald/engine/retention.hpp>

namespace herald::engine {

side_record::side_record(extra_ptr options) noexcept : given{std::move(options)} {}
side_record::~side_record() {
  if (!waiting) return;
  auto* by = current_frame != nullptr && !current_frame->lost ? current_frame : nullptr;
  while (waiting->values.count() != 0) end_use(*waiting->values.take_oldest()->share, by);
}

void backlog::append(event_entry& entry) noexcept {
  (newest != nullptr ? newest->later : oldest) = &entry;
  newest = &entry;
  ++waiting;
}

void backlog::remove(event_entry& entry) noexcept {
  event_entry* before = nullptr;
  auto* at = oldest;
  while (at != nullptr && at != &entry) {
    before = at;
    at = at->later;
  }
  if (at == nullptr) return;
  (before != nullptr ? before->later : oldest) = entry.later;
  if (newest == &entry) newest = before;
  entry.later = nullptr;
  --waiting;
}

namespace {

class arrival {
 public:
  arrival(fan_out& n, cell& c, std::uint32_t id, const handler_entry& handler, topic_table& table, frame& f) noexcept
      : n_{n}, c_{c}, id_{id}, handler_{handler}, table_{table}, f_{f}, s_{table.at(id)} {}

  bool wait(std::uint64_t missed) {
    const auto* wanted = s_.more ? &s_.more->given->when_slow : nullptr;
    if (wanted == nullptr || wanted->kind() == policy::kind_t::mailbox) return enter(missed, false), true;
    if (wanted->kind() == policy::kind_t::latest_by) return conflate(missed);
    if (waiting().waiting >= wanted->bound()) {
      switch (wanted->kind()) {
        case policy::kind_t::drop_oldest: drop_first(); break;
        case policy::kind_t::disconnect: return disconnect(missed, wanted->bound()), true;
        case policy::kind_t::keep_all: tell_full(wanted->bound()); [[fallthrough]];
        default:
          table_.count_loss(id_, wanted->kind() == policy::kind_t::keep_all ? loss::bound_reached : loss::dropped_newest, 1);
          table_.owe(c_, id_, missed + 1, gap_place::back);
          return true;
      }
    }
    enter(missed, true);
    return true;
  }

 private:
  [[nodiscard]] backlog& waiting() {
    if (!s_.more->waiting) s_.more->waiting = std::make_unique<backlog>();
    return *s_.more->waiting;
  }

  void enter(std::uint64_t missed, bool bounded) {
    auto* e = make_entry(n_, c_, id_, handler_, table_, f_);
    // Where a full mailbox or bound refuses the newest, the gap is before the next one that it takes: this one, it seems.
    const bool late = table_.tells_late(c_, id_);
    if (s_.missed > 0 && (!late || topic_table::names_gap(c_) != nullptr)) missed += table_.take_missed(id_);
    e->missed = missed;
    if (bounded) {
      raise_limit(c_);
      e->bounded = entry_bound::policy;
      waiting().append(*e);
    }
    table_.refused = false;
    f_.home->deliver(e, bounded);
    // What is lost from now on is lost behind this event, and a notice of its own.
    if (!table_.refused && !late && s_.more) s_.more->open_gap = nullptr;
  }

  /// The oldest makes room; where it waited the process hears of the gap.
  void drop_first() {
    auto& oldest = *waiting().oldest;
    const auto untold = oldest.missed + 1;
    table_.count_loss(id_, loss::dropped_oldest, 1);
    waiting().remove(oldest);
    const auto* told = topic_table::names_gap(c_);
    if (told != nullptr && s_.more->open_gap == nullptr) return turn_into_gap(oldest, *told, untold);
    if (told != nullptr) {
      s_.more->open_gap->message->missed += untold;
    } else {
      table_.owe(c_, id_, untold, gap_place::front);
    }
    drop_waiting(oldest, c_, table_, f_);
  }

  void turn_into_gap(event_entry& old, const handler_entry& told, std::uint64_t untold) {
    static_assert(sizeof(gap_token) <= sizeof(event_entry));
    auto message = std::make_unique<gap>(gap{std::string{s_.at->topic->name()}, s_.more->given->key, untold});
    end_use(*old.share, &f_);
    auto* next = old.next;
    const auto life_of_it = old.life;
    old.~event_entry();
    auto* token = ::new (static_cast<void*>(&old)) gap_token{c_, id_, told, std::move(message)};
    token->next = next;
    token->size = sizeof(event_entry);
    token->generation_of_id = s_.generation;
    token->life = life_of_it;
    s_.more->open_gap = token;
  }

  void disconnect(std::uint64_t missed, std::size_t bound) {
    table_.count_loss(id_, loss::disconnected, 1);
    if (s_.missed > 0) missed += table_.take_missed(id_);
    subscription_ended notice{std::string{s_.at->topic->name()}, s_.more->given->key,
                              "more than " + std::to_string(bound) + " events waited", missed + 1};
    report r;
    r.kind = report::dead_letter;
    r.path = core::path_of(c_);
    r.process_type = c_.ops->name;
    r.text = "its subscription to \"" + notice.topic + "\" ended: " + notice.why;
    c_.home->system().tell(std::move(r));
    table_.end(c_, id_);
    if (c_.ops->find(tag_of<subscription_ended>) != nullptr)
      f_.home->deliver(make_node<any_node<subscription_ended, envelope_kind::notice>>(c_.self(), std::move(notice)));
  }

  void tell_full(std::size_t bound) {
    if (s_.missed > 0 || s_.more->open_gap != nullptr) return;  // told at the gap's beginning
    report r;
    r.kind = report::dead_letter;
    r.path = core::path_of(c_);
    r.process_type = c_.ops->name;
    r.text = "its subscription to \"" + std::string{s_.at->topic->name()} + "\" loses events: " + std::to_string(bound) +
             " wait, as many as it keeps";
    c_.home->system().tell(std::move(r));
  }

  // --- latest_by

  /// The slot of the event's key; null when none waits. False: the host was lost.
  bool find(std::size_t& hash, conflation::slot*& found, bool& hashed) {
    const auto options = s_.more->given;
    const auto& key = *options->when_slow.key();
    auto& values = waiting().values;
    const auto* payload = n_.event->payload;
    const auto said = ask(f_, c_, table_, id_, "key", [&] { return hash = key.hash(payload), true; });
    if (said == answer::lost) return false;
    hashed = said == answer::yes;
    for (auto* s = hashed ? values.first(hash) : nullptr; s != nullptr; s = conflation::next(*s)) {
      // Should the host be taken meanwhile, the other event may be gone for everybody else.
      auto& other = *s->share->event;
      other.refs.fetch_add(1, std::memory_order_relaxed);
      const auto same = ask(f_, c_, table_, id_, "key", [&] { return key.same(payload, other.payload); });
      release(&other);
      if (same == answer::lost) return false;
      if (same == answer::yes) return found = s, true;
    }
    return true;
  }

  bool conflate(std::uint64_t missed) {
    std::size_t hash = 0;
    conflation::slot* same = nullptr;
    bool hashed = false;
    if (s_.more->stuck) return lose_one(missed), true;
    auto* now = static_cast<delivery*>(const_cast<void*>(f_.delivery));
    now->keying = true;
    if (!find(hash, same, hashed)) return false;
    now->keying = false;
    if (!hashed) return lose_one(missed), true;
    if (s_.missed > 0) missed += table_.take_missed(id_);
    auto& b = waiting();
    ++n_.uses;
    if (same != nullptr) {
      table_.count_loss(id_, loss::conflated, 1);
      end_use(*std::exchange(same->share, &n_), &f_);
      same->handler = &handler_;
      same->missed += missed + 1;
      return true;
    }
    auto untold = missed;
    if (b.values.count() >= s_.more->given->when_slow.bound()) {
      table_.count_loss(id_, loss::conflated, 1);
      const auto oldest = b.values.take_oldest();
      end_use(*oldest->share, &f_);
      (b.values.oldest() != nullptr ? b.values.oldest()->missed : untold) += oldest->missed + 1;
    }
    b.values.append(std::make_unique<conflation::slot>(conflation::slot{&n_, &handler_, hash, untold}));
    if (b.token != nullptr) return true;
    b.token = ::new (allocate_node(sizeof(value_token), &f_)) value_token{*n_.event->ops->value, c_, id_};
    b.token->size = sizeof(value_token);
    b.token->generation_of_id = s_.generation;
    f_.home->deliver(b.token, true);
    return true;
  }

  void lose_one(std::uint64_t missed) {
    table_.count_loss(id_, loss::conflated, 1);
    table_.owe(c_, id_, missed + 1, gap_place::back);
  }

  fan_out& n_;
  cell& c_;
  std::uint32_t id_;
  const handler_entry& handler_;
  topic_table& table_;
  frame& f_;
  subscription& s_;
};

}  // namespace

bool let_wait(fan_out& n, cell& c, std::uint32_t id, const handler_entry& handler, topic_table& table, frame& f,
              std::uint64_t missed) {
  return arrival{n, c, id, handler, table, f}.wait(missed);
}

}  // namespace herald::engine
