#pragma once
// A call that is answered later: the one answer it is owed, shared by all copies of its handle (reply_to.hpp), and bound
// to the life that was asked until that lets go of it.
//
// Threads: `owed` decides who answers, once. The list of a life's debts (cell_extras::debts) is touched by the owner of
// its host only; others ask it to take a debt off through the control lane. While they answer and ask, that life's end
// waits for them (a few instructions), and with it the application's: so a handle may be used at any time after.

#include <atomic>
#include <cstdint>
#include <utility>

#include <herald/engine/nodes.hpp>

namespace herald::engine {

class debt : public attachment {
 public:
  debt(const reply_to& back, const type_tag& message) noexcept : back_{back}, message_{&message} {}

  void retain_handle() noexcept { handles_.fetch_add(1, std::memory_order_relaxed); }
  /// The last handle gives up what is still owed.
  void release_handle() noexcept {
    if (handles_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    if (owed()) give_up();
    drop();
  }
  void retain() noexcept { users_.fetch_add(1, std::memory_order_relaxed); }
  void drop() noexcept {
    if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) end();
  }

  [[nodiscard]] bool owed() const noexcept { return owed_.load(std::memory_order_acquire); }
  [[nodiscard]] const type_tag& message() const noexcept { return *message_; }
  /// Answers with an error, if nobody has answered yet.
  virtual bool refuse(error why) noexcept = 0;

  /// Bound to the incarnation whose handler calls this. False: no such handler, and nothing is done.
  bool bind(const runtime_entry& entry, cell& c, std::uint32_t incarnation);
  void unbind() noexcept;
  /// The owner of its host: the life is over, what it owes is answered down.
  static void end_all(cell& c) noexcept;

 protected:
  /// Held by the one who answers: true once. The life that was asked does not end until this does.
  class claim {
   public:
    claim(debt& what, const runtime_entry& entry) noexcept;
    ~claim();
    claim(const claim&) = delete;
    claim& operator=(const claim&) = delete;
    [[nodiscard]] explicit operator bool() const noexcept { return mine_; }

   private:
    debt& what_;
    const runtime_entry& entry_;
    cell* bound_;
    bool mine_;
  };
  virtual void end() noexcept = 0;
  reply_to back_;

 private:
  void give_up() noexcept;
  /// The life it is bound to, which does not end before it is put back (or null is); null: it is bound to none.
  [[nodiscard]] cell* borrow() noexcept;
  /// Off the list of the life that was borrowed, and bound to none.
  void let_go(const runtime_entry& entry, const cell& life) noexcept;
  void link(cell& c);
  void unlink() noexcept;
  void wipe(host&) noexcept final {}

  const type_tag* message_;
  std::atomic<std::uint32_t> handles_{1};
  std::atomic<std::uint32_t> users_{1};  ///< all handles together, the list, messages about it
  std::atomic<bool> owed_{true};
  std::atomic<cell*> bound_{nullptr};
  address life_of_;
};

/// The call in hand of a handler whose host was taken: true when its caller was not told of the end already.
[[nodiscard]] bool take_in_hand(const runtime_entry& entry) noexcept;

template <class R>
struct debt_for final : debt {
  using debt::debt;
  bool answer(result<R> r) {
    const runtime_entry entry;
    if (entry.fenced() || !owed()) return false;
    const claim mine{*this, entry};
    if (mine) make_node<early_answer<R>>(std::exchange(back_, {}))->answer(std::move(r));
    return static_cast<bool>(mine);
  }
  bool refuse(error why) noexcept override { return answer(std::move(why)); }
  static debt_for* make(const reply_to& back, const type_tag& message) {
    const runtime_entry entry;
    return ::new (allocate_node(sizeof(debt_for), entry.owned())) debt_for{back, message};
  }

 protected:
  void end() noexcept override {
    this->~debt_for();
    const runtime_entry entry;
    free_node_memory(this, sizeof(debt_for), entry.owned());
  }
};

template <class R>
void owe(call_base<R>& call, cell& by, debt_for<R>*& kept) {
  const runtime_entry entry;
  if (entry.owned() == nullptr && !take_in_hand(entry)) return;
  kept = debt_for<R>::make(std::exchange(call.to_, {}), *call.ops->type);
  kept->bind(entry, by, entry.owned() != nullptr ? by.incarnation : entry.any()->away->incarnation);
}

template <class R>
void settle_debt(debt_for<R>& kept, const exit_reason* crash) noexcept {
  if (crash != nullptr) kept.refuse(error_of(discard_reason::down, crash, kept.message()));
  kept.release_handle();
}

}  // namespace herald::engine
