#pragma once
// What a suspended handler waits for. Each kind lies in the coroutine's frame and registers a record there under a number
// of its process, by which the answer finds it; nothing is allocated. begin() starts it, take() gives what came.
//
// Records are wiped with their incarnation before the frames go (attachment); they are never deleted themselves.

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <herald/context.hpp>
#include <herald/engine/pending.hpp>
#include <herald/engine/suspension.hpp>
#include <herald/reply_to.hpp>

namespace herald::engine {

/// The place where a coroutine waits, until `open` answers have come.
struct await_point {
  context* self = nullptr;
  std::coroutine_handle<> who;
  std::uint32_t open = 0;
  void arrived() {
    if (--open != 0) return;
    who.resume();
    end_if_finished();  // `who` may be gone now, and this with it
  }
};

[[nodiscard]] error not_in_handler_error();
/// Starts the wait of a frame's record, without an end when there is no limit. False: no handler of this incarnation runs
/// here.
[[nodiscard]] bool begin_await(context& self, pending_call& record, const std::optional<time_limit>& limit);

/// One answer of type R.
template <class R>
struct await_record final : pending_call {
  await_record() { awaited = in_frame = true; }
  // Moved only before it is begun: a frame's temporaries.
  await_record(await_record&&) noexcept : await_record{} {}
  await_point* at = nullptr;
  std::optional<result<R>> value;

  void begin(await_point& where) noexcept {
    at = &where;
    ++where.open;
  }
  void fail(error why) {
    --at->open;
    value.emplace(std::move(why));
  }
  void resume(context&, void* answer, const error* why) override {
    if (answer != nullptr) {
      value.emplace(std::move(*static_cast<result<R>*>(answer)));
    } else {
      value.emplace(*why);
    }
    at->arrived();
  }
  void dispose() noexcept override {}
};

template <class P, class M>
class awaited_call {
 public:
  using value_type = typename M::reply;
  awaited_call(context& self, const ref<P>& callee, M&& message, time_limit limit)
      : self_{&self}, callee_{callee}, message_{std::move(message)}, limit_{limit} {}

  void begin(await_point& at) {
    if (!begin_wait(at)) return;
    if (auto why = self_->refuse(callee_.where(), limit_)) return fail(std::move(*why));
    send(make_node<call_node<P, M>>(callee_.where(), std::move(message_),
                                    reply_to{self_->self().where(), self_->incarnation(), record_.id, nullptr}));
  }
  [[nodiscard]] result<value_type> take() { return std::move(*record_.value); }

 protected:
  [[nodiscard]] bool begin_wait(await_point& at) {
    record_.begin(at);
    if (self_->begin(&record_, limit_)) return true;
    record_.fail(not_in_handler_error());
    return false;
  }
  void fail(error why) { self_->fail_call(record_.id, std::move(why)); }

 private:
  context* self_;
  ref<P> callee_;
  M message_;
  time_limit limit_;
  await_record<value_type> record_;
};

/// Of whoever is at a path; its error says where nobody is.
template <class P, class M>
class awaited_call_at : public awaited_call<P, M> {
  using base = awaited_call<P, M>;

 public:
  awaited_call_at(context& self, const ref<P>& callee, M&& message, time_limit limit, std::string_view path)
      : base{self, callee, std::move(message), limit}, nobody_{callee ? std::string_view{} : path}, found_{callee} {}

  void begin(await_point& at) {
    if (found_) return base::begin(at);
    if (base::begin_wait(at)) base::fail(nobody_at(nobody_, ops_of<P>));
  }

 private:
  std::string nobody_;
  bool found_;
};

class awaited_sleep {
 public:
  using value_type = void;
  awaited_sleep(context& self, std::chrono::nanoseconds time) noexcept : self_{&self}, time_{time} {}
  void begin(await_point& at);
  void take() const noexcept {}

 private:
  context* self_;
  std::chrono::nanoseconds time_;
  await_record<void> record_;
};

/// The protocol for types of other rooms and of users (coroutine.hpp).
template <class A>
concept awaitable = requires(A& a, context& self, herald::reply_to<typename A::value_type> to) {
  a.start(self, std::move(to));
};

template <awaitable A>
class awaited_answer {
 public:
  using value_type = typename A::value_type;
  explicit awaited_answer(A&& what, std::optional<time_limit> limit = std::nullopt)
      : what_(std::move(what)), limit_{limit} {}

  void begin(await_point& at) {
    record_.begin(at);
    auto& self = *at.self;
    if (!begin_await(self, record_, limit_)) return record_.fail(not_in_handler_error());
    auto* debt = debt_for<value_type>::make({self.self().where(), self.incarnation(), record_.id, nullptr}, tag_of<A>);
    herald::reply_to<value_type> to{debt};
    debt->release_handle();
    to.bind(self);  // a late answer finds nobody: it may come when the application has gone
    what_.start(self, std::move(to));
  }
  [[nodiscard]] result<value_type> take() { return std::move(*record_.value); }

 private:
  A what_;
  std::optional<time_limit> limit_;
  await_record<value_type> record_;
};

template <class A>
concept awaiting = requires(A& a, await_point& at) {
  a.begin(at);
  a.take();
};

/// Several of them: `void` becomes result<void>, so that a tuple can hold it.
template <class A>
auto take_one(A& a) {
  if constexpr (std::is_void_v<decltype(a.take())>) {
    return result<void>{};
  } else {
    return a.take();
  }
}

template <class... As>
class awaited_all {
 public:
  explicit awaited_all(As&&... parts) : parts_{std::move(parts)...} {}
  void begin(await_point& at) {
    std::apply([&](auto&... a) { (a.begin(at), ...); }, parts_);
  }
  [[nodiscard]] auto take() {
    return std::apply([](auto&... a) { return std::tuple{take_one(a)...}; }, parts_);
  }

 private:
  std::tuple<As...> parts_;
};

template <class A>
class awaited_each {
 public:
  explicit awaited_each(std::vector<A>&& parts) : parts_{std::move(parts)} {}
  void begin(await_point& at) {
    for (auto& a : parts_) a.begin(at);
  }
  [[nodiscard]] auto take() {
    std::vector<decltype(take_one(parts_.front()))> out;
    out.reserve(parts_.size());
    for (auto& a : parts_) out.push_back(take_one(a));
    return out;
  }

 private:
  std::vector<A> parts_;
};

/// What co_await makes of them.
template <awaiting A>
class awaiter {
 public:
  awaiter(context& self, A&& what) : what_{std::move(what)} { at_.self = &self; }
  awaiter(const awaiter&) = delete;
  awaiter& operator=(const awaiter&) = delete;
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  [[nodiscard]] bool await_suspend(std::coroutine_handle<> who) {
    at_.who = who;
    at_.open = 1;
    what_.begin(at_);
    return --at_.open != 0;  // answers come through the mailbox, so none is here yet; refusals are
  }
  auto await_resume() { return what_.take(); }

 private:
  A what_;
  await_point at_;
};

// --- the coroutine's own ----------------------------------------------------------------------------------------------

class promise_base : public suspension {
 public:
  promise_base() noexcept = default;
  promise_base(const promise_base&) = delete;
  promise_base& operator=(const promise_base&) = delete;

  [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
  struct at_end {
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class Promise>
    [[nodiscard]] std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> me) const noexcept {
      promise_base& p = me.promise();
      if (p.next_) return p.next_;
      p.finished = true;
      return std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };
  [[nodiscard]] at_end final_suspend() const noexcept { return {}; }
  /// The outermost one's leaves through its runner, which makes it a crash; an inner one's through its co_await.
  void unhandled_exception() {
    if (!next_) {
      finished = true;
      throw;
    }
    thrown_ = std::current_exception();
  }

  template <class A>
  [[nodiscard]] auto await_transform(A&& what) {
    using plain = std::remove_cvref_t<A>;
    if constexpr (is_coroutine<plain>) {
      return inner<plain>{std::forward<A>(what)};
    } else if constexpr (awaiting<plain>) {
      return awaiter<plain>{*self_, std::forward<A>(what)};
    } else {
      static_assert(awaitable<plain>,
                    "herald: a handler can await self.call, self.sleep, self.offload, stop(self, ...), a task's await(self, limit), "
                    "all(...), another coroutine, or a type with "
                    "value_type and start(context&, reply_to<value_type>)");
      return awaiter<awaited_answer<plain>>{*self_, awaited_answer<plain>{plain(std::forward<A>(what))}};
    }
  }

  void* operator new(std::size_t size) {
    const runtime_entry entry;
    return allocate_node(size, entry.owned());
  }
  void operator delete(void* memory, std::size_t size) noexcept {
    const runtime_entry entry;
    free_node_memory(memory, size, entry.owned());
  }

  void begin(context& self) noexcept { self_ = &self; }

 protected:
  ~promise_base() = default;

 private:
  /// Another coroutine as a part of this one.
  template <class C>
  class inner {
   public:
    explicit inner(C&& part) noexcept : part_{part.take()} {}
    inner(const inner&) = delete;
    inner& operator=(const inner&) = delete;
    ~inner() {
      if (part_) part_.destroy();
    }
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class Outer>
    [[nodiscard]] std::coroutine_handle<> await_suspend(std::coroutine_handle<Outer> outer) noexcept {
      promise_base& p = part_.promise();
      p.next_ = outer;
      p.begin(*static_cast<promise_base&>(outer.promise()).self_);
      return part_;
    }
    auto await_resume() {
      promise_base& p = part_.promise();
      if (p.thrown_) std::rethrow_exception(p.thrown_);
      return part_.promise().value();
    }

   private:
    decltype(std::declval<C&>().take()) part_;
  };
  std::coroutine_handle<> next_;  ///< the coroutine that awaits this one; none: this is a handler
  std::exception_ptr thrown_;
  context* self_ = nullptr;
};

template <class R>
class promise final : public promise_base {
 public:
  [[nodiscard]] coroutine<R> get_return_object() noexcept {
    return coroutine<R>{std::coroutine_handle<promise>::from_promise(*this)};
  }
  template <class U = R>
    requires std::is_convertible_v<U&&, R>
  void return_value(U&& v) {
    if (answer != nullptr) {
      answer->emplace(static_cast<R>(std::forward<U>(v)));
    } else {
      value_.emplace(std::forward<U>(v));
    }
  }
  [[nodiscard]] R value() { return std::move(*value_); }
  std::optional<result<R>>* answer = nullptr;  ///< where the reply goes

 private:
  std::optional<R> value_;
};

template <>
class promise<void> final : public promise_base {
 public:
  [[nodiscard]] coroutine<void> get_return_object() noexcept;
  void return_void() {
    if (answer != nullptr) answer->emplace();
  }
  void value() const noexcept {}
  std::optional<result<void>>* answer = nullptr;
};

template <class R>
void launch(context& self, coroutine<R> handler, void* answer) {
  using handle = std::coroutine_handle<promise<R>>;
  struct owner {
    handle whole;
    ~owner() {
      if (whole) whole.destroy();
    }
  } frames{handler.take()};
  auto& p = frames.whole.promise();
  p.begin(self);
  p.answer = static_cast<std::optional<result<R>>*>(answer);
  frames.whole.resume();
  if (p.finished) return;
  p.destroy = [](suspension& s) noexcept { handle::from_promise(static_cast<promise<R>&>(s)).destroy(); };
  suspend_handler(p);
  frames.whole = nullptr;
}

}  // namespace herald::engine
