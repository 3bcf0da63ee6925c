#pragma once
// The problem: a handler is asked something that it cannot answer yet, because the answer must come from elsewhere first,
// and it must not keep its other callers waiting meanwhile. It takes the call's reply_to, puts it away, and answers later,
// from wherever the answer turns up: another handler, another process, a plain thread.
//
//   struct desk : herald::process<desk, take, put> {
//     void on(const take&, herald::reply_to<int> to) { waiting_.push_back(std::move(to)); }   // take::reply is int
//     void on(const put& m) {
//       for (auto& to : std::exchange(waiting_, {})) to.reply(m.value);
//     }
//    private:
//     std::vector<herald::reply_to<int>> waiting_;
//   };
//
// A call is answered exactly once: copies share the one answer, and who comes second is told so. It is always answered:
// when the last copy goes without an answer, its caller gets `unanswered` at once, and when the life that was asked ends
// first, down(reason). A process that hands the duty over says detach(); who takes it over may say bind(self), and its own
// end is then the call's.
//
// Thread safety: safe, also shared objects' copies on several threads; one object as any value. Lifetime: a reply_to that
// is not detached may outlive everything; a detached one must be answered or dropped before its application is destroyed.
// Errors: as said at each. The idea: gen_server:reply(From, Reply).

#include <utility>

#include <herald/context.hpp>
#include <herald/engine/debt.hpp>

namespace herald {

template <class R>
class reply_to {
 public:
  /// Nobody waits for this one: answering it says false.
  reply_to() = default;
  reply_to(const reply_to& other) noexcept : debt_{other.debt_} {
    if (debt_ != nullptr) debt_->retain_handle();
  }
  reply_to(reply_to&& other) noexcept : debt_{std::exchange(other.debt_, nullptr)} {}
  reply_to& operator=(reply_to other) noexcept {
    std::swap(debt_, other.debt_);
    return *this;
  }
  ~reply_to() {
    if (debt_ != nullptr) debt_->release_handle();
  }

  /// Answers. False: it was answered before, or its caller was told of the process's end.
  template <class U = R>
    requires(!std::is_void_v<R> && std::is_convertible_v<U &&, R>)
  bool reply(U&& value) const {  // NOLINT(modernize-use-nodiscard): most do not care
    return debt_ != nullptr && debt_->answer(result<R>{static_cast<R>(std::forward<U>(value))});
  }
  bool reply() const
    requires std::is_void_v<R>
  {
    return debt_ != nullptr && debt_->answer(result<void>{});
  }
  /// Ends the call with an error, as said at reply.
  bool fail(error why) const { return debt_ != nullptr && debt_->answer(result<R>{std::move(why)}); }

  /// Somebody still waits for the answer.
  explicit operator bool() const noexcept { return debt_ != nullptr && debt_->owed(); }
  /// From now on the call does not end with the process that was asked: whoever has a copy owes the answer.
  void detach() const noexcept {
    if (debt_ != nullptr) debt_->unbind();
  }
  /// In a handler or init of `self`: from now on the call ends with this life. False: not called in one.
  bool bind(context& self) const {
    const engine::runtime_entry entry;
    return debt_ != nullptr && debt_->bind(entry, self.cell(), self.incarnation());
  }

  /// For the engine: a share in `what`.
  explicit reply_to(engine::debt_for<R>* what) noexcept : debt_{what} {
    if (debt_ != nullptr) debt_->retain_handle();
  }

 private:
  engine::debt_for<R>* debt_ = nullptr;
};

}  // namespace herald
