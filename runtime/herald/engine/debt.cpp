#include <herald/engine/debt.hpp>

#include <thread>

#include <herald/engine/at_home.hpp>
#include <herald/engine/extras.hpp>

namespace herald::engine {

namespace {

/// Keeps a debt alive in a message about it.
struct one_user {
  explicit one_user(debt* of) noexcept : d{of} { d->retain(); }
  one_user(one_user&& other) noexcept : d{std::exchange(other.d, nullptr)} {}
  one_user& operator=(one_user&&) = delete;
  ~one_user() {
    if (d != nullptr) d->drop();
  }
  debt* d;
};

/// In bound_ while somebody who does not own the host uses what that points to.
char borrowed_place;
cell* const borrowed = reinterpret_cast<cell*>(&borrowed_place);

}  // namespace

bool take_in_hand(const runtime_entry& entry) noexcept {
  return entry.any() != nullptr && entry.any()->away != nullptr &&
         entry.any()->away->in_hand.exchange(nullptr, std::memory_order_acq_rel) != nullptr;
}

void debt::give_up() noexcept {
  // A handle that ends with its process says why that ended.
  const runtime_entry entry;
  const auto* c = bound_.load(std::memory_order_acquire);
  if (c != nullptr && c != borrowed && entry.owned() != nullptr && entry.owned()->home == c->home &&
      (c->busy & busy_ending) != 0) {
    refuse(error_of(discard_reason::down, &c->ending, *message_));
  } else {
    refuse({errc::unanswered, "the call of type " + std::string{message_->name} +
                                  " was not answered: its handler let go of the reply_to without an answer"});
  }
}

void debt::link(cell& c) {
  if (bound_.load(std::memory_order_acquire) != &c || !owed() || owner != nullptr) return;
  auto& list = extras_of(c).debts;
  owner = &c;
  previous = nullptr;
  following = list;
  if (list != nullptr) list->previous = this;
  list = this;
  retain();
}

void debt::unlink() noexcept {
  if (owner == nullptr) return;
  (previous != nullptr ? previous->following : owner->extras->debts) = following;
  if (following != nullptr) following->previous = previous;
  previous = following = nullptr;
  owner = nullptr;
  drop();
}

cell* debt::borrow() noexcept {
  while (true) {
    auto* c = bound_.load(std::memory_order_acquire);
    if (c == nullptr) return nullptr;
    if (c != borrowed && bound_.compare_exchange_weak(c, borrowed, std::memory_order_acq_rel)) return c;
    std::this_thread::yield();
  }
}

void debt::let_go(const runtime_entry& entry, const cell& life) noexcept {
  if (auto* f = entry.owned(); f != nullptr && f->home == life.home) {
    unlink();
  } else {
    post_control(life_of_, f, [me = one_user{this}](cell*, frame&) { me.d->unlink(); });
  }
  bound_.store(nullptr, std::memory_order_release);
}

bool debt::bind(const runtime_entry& entry, cell& c, std::uint32_t incarnation) {
  unbind();
  life_of_ = c.self();
  bound_.store(&c, std::memory_order_release);
  if (at_home(entry, c, incarnation, [me = one_user{this}](cell& home) { me.d->link(home); })) return true;
  bound_.store(nullptr, std::memory_order_release);
  return false;
}

void debt::unbind() noexcept {
  const runtime_entry entry;
  if (const auto* c = borrow(); c != nullptr) let_go(entry, *c);
}

debt::claim::claim(debt& what, const runtime_entry& entry) noexcept
    : what_{what}, entry_{entry}, bound_{what.borrow()}, mine_{what.owed_.exchange(false, std::memory_order_acq_rel)} {}

debt::claim::~claim() {
  if (bound_ == nullptr) return;
  if (mine_) {
    what_.let_go(entry_, *bound_);
  } else {
    what_.bound_.store(bound_, std::memory_order_release);
  }
}

void debt::end_all(cell& c) noexcept {
  if (c.extras == nullptr) return;
  while (c.extras->debts != nullptr) {
    auto* d = static_cast<debt*>(c.extras->debts);
    d->retain();
    if (d->borrow() != nullptr) d->bound_.store(nullptr, std::memory_order_release);
    d->unlink();
    d->refuse(error_of(discard_reason::down, &c.ending, *d->message_));
    d->drop();
  }
}

}  // namespace herald::engine
