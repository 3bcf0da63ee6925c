#pragma once
// The problem: of many requests (request.hpp) one wants the answers as they come, to know which one each belongs to, and to
// wait for all of them no longer than a time in common.
//
//   herald::request_collection<money, std::string> offers;
//   for (const auto& [name, shop] : shops_) offers.add(herald::send_request(shop, price_of{item}), name);
//   const auto deadline = self.now() + 200ms;
//   while (!offers.empty()) {
//     auto next = co_await offers.receive(self, deadline);          // or receive(self, deadline, then), or receive(limit)
//     if (!next) break;                                             // timeout: the rest is given up
//     if (next->answer) consider(next->label, *next->answer);       // an answer may be an error, too
//   }
//
// receive gives the answers in the order in which they came, each once; at its limit it gives timeout and gives up what is
// still open, so that late answers vanish. wait leaves it open: later answers can still be taken. check does not wait.
// not_found: nothing is open. One wait at a time (bad_option).
//
// Thread safety, lifetime, crashes: as request.hpp says. A collection that is destroyed gives up what is open. A wait under
// way goes on when the collection is moved.
// Errors: adding a request that is empty or spent (the same one twice) throws std::logic_error: a bug of the caller's.
// The idea: gen_server:reqids_add and receive_response over a request id collection.

#include <utility>
#include <vector>

#include <herald/engine/open_requests.hpp>
#include <herald/request.hpp>

namespace herald {

template <class R, class Label = std::size_t>
class request_collection {
 public:
  /// One answer, and what its request was added with.
  struct answered {
    Label label;
    result<R> answer;
  };

  request_collection() : open_{std::make_shared<table>()} {}
  request_collection(request_collection&& other) : request_collection{} { std::swap(open_, other.open_); }
  request_collection& operator=(request_collection&& other) {
    std::swap(open_, other.open_);
    return *this;
  }
  ~request_collection() { open_->clear(); }

  void add(sent_request<R> request, Label label) {
    if (!request) engine::refuse_to_add();
    open_->add(request.release(), std::move(label));
  }
  /// Requests whose answers were not taken yet, whether these are there or not.
  [[nodiscard]] std::size_t size() const { return open_->size(); }
  [[nodiscard]] bool empty() const { return size() == 0; }
  /// What is open, in the order of adding.
  [[nodiscard]] std::vector<Label> labels() const { return open_->labels(); }

  /// then(result<answered>).
  template <class F>
  void receive(context& self, time_limit limit, F then) {
    wait_with(self, limit, true, std::move(then));
  }
  template <class F>
  void wait(context& self, time_limit limit, F then) {
    wait_with(self, limit, false, std::move(then));
  }
  /// For co_await: result<answered>.
  [[nodiscard]] auto receive(context& self, time_limit limit) { return await_with(self, limit, true); }
  [[nodiscard]] auto wait(context& self, time_limit limit) { return await_with(self, limit, false); }
  /// On a plain thread.
  [[nodiscard]] result<answered> receive(time_limit limit = default_call_limit) { return block_with(limit, true); }
  [[nodiscard]] result<answered> wait(time_limit limit = default_call_limit) { return block_with(limit, false); }
  /// The next answer, if one is there.
  [[nodiscard]] std::optional<answered> check() { return open_->template next<answered>(); }

 private:
  using table = engine::open_requests<R, Label>;

  static auto look(std::shared_ptr<table> open, bool give_up) {
    return [open = std::move(open), give_up](const result<void>& woken) -> result<answered> {
      if (auto found = open->template next<answered>()) return std::move(*found);
      if (woken.is(errc::timeout)) {
        open->stop_waiting();
        if (give_up) open->clear();
      }
      return woken ? engine::spent_request_error() : woken.error();
    };
  }
  template <class F>
  void wait_with(context& self, const time_limit& limit, bool give_up, F then) {
    engine::wait_in_handler(
        self, limit, engine::arm_open(open_),
        [look = look(open_, give_up), then = std::move(then)](context& me, const result<void>& woken) mutable {
          engine::tell(then, me, look(woken));
        });
  }
  auto await_with(context& self, const time_limit& limit, bool give_up) {
    return engine::wait_inside(self, limit, engine::arm_open(open_), look(open_, give_up));
  }
  result<answered> block_with(const time_limit& limit, bool give_up) {
    if (engine::on_runner()) return engine::would_block_error();
    return look(open_, give_up)(open_->wait_for_next(limit, open_));
  }
  std::shared_ptr<table> open_;
};

}  // namespace herald
