#pragma once
// The requests of a collection: which are open, under which labels, and which of them have their answers, in the order of
// coming. Answers come on any thread, so a lock stands before all of it; the collection's user is one at a time.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <herald/engine/request_state.hpp>

namespace herald::engine {

/// Throws: the request was spent.
[[noreturn]] void refuse_to_add();

class open_requests_base : public std::enable_shared_from_this<open_requests_base> {
 public:
  open_requests_base() = default;
  open_requests_base(const open_requests_base&) = delete;
  open_requests_base& operator=(const open_requests_base&) = delete;
  virtual ~open_requests_base() = default;

  /// Wakes `to` when an answer is there, at once when one is, or says why nobody may wait.
  void arm(reply_once<void> to);
  void stop_waiting() noexcept;
  /// Nobody waits in vain for what is given up.
  void tell_given_up();
  /// For a plain thread.
  [[nodiscard]] result<void> wait_for_next(const time_limit& limit, const std::shared_ptr<open_requests_base>& self);

 protected:
  /// Tells this table that the request of a number has its answer.
  [[nodiscard]] std::shared_ptr<answer_listener> listener_of(std::uint64_t number);
  [[nodiscard]] virtual std::size_t open() const noexcept = 0;

  mutable std::mutex mutex_;
  std::deque<std::uint64_t> came_;
  core* system_ = nullptr;  ///< of any request that is under way

 private:
  struct arrival;
  void note(std::uint64_t number);
  std::optional<reply_once<void>> waiting_;
};

template <class R, class Label>
class open_requests final : public open_requests_base {
 public:
  void add(request_ptr<R> request, Label label) {
    std::uint64_t number = 0;
    {
      const std::lock_guard lock{mutex_};
      number = ++last_;
      if (request->system() != nullptr) system_ = request->system();
      open_.try_emplace(number, std::move(label), request);
    }
    if (request->listen(listener_of(number))) {
      {
        const std::lock_guard lock{mutex_};
        open_.erase(number);
      }
      refuse_to_add();
    }
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock{mutex_};
    return open_.size();
  }
  [[nodiscard]] std::vector<Label> labels() const {
    const std::lock_guard lock{mutex_};
    std::vector<Label> all;
    for (const auto& [number, request] : open_) all.push_back(request.first);
    return all;
  }
  /// The next answer that has come, as an Answered{label, result<R>}.
  template <class Answered>
  [[nodiscard]] std::optional<Answered> next() {
    const std::lock_guard lock{mutex_};
    while (!came_.empty()) {
      const auto found = open_.find(came_.front());
      came_.pop_front();
      if (found == open_.end()) continue;
      auto [label, request] = std::move(found->second);
      open_.erase(found);
      if (auto r = request->take()) return Answered{std::move(label), std::move(*r)};
    }
    return std::nullopt;
  }
  void clear() {
    decltype(open_) dropped;
    {
      const std::lock_guard lock{mutex_};
      dropped.swap(open_);
      came_.clear();
    }
    for (auto& [number, request] : dropped) request.second->unlisten();
    tell_given_up();
  }

 private:
  [[nodiscard]] std::size_t open() const noexcept override { return open_.size(); }
  std::map<std::uint64_t, std::pair<Label, request_ptr<R>>> open_;
  std::uint64_t last_ = 0;
};

[[nodiscard]] inline auto arm_open(std::shared_ptr<open_requests_base> table) {
  return [table = std::move(table)](reply_once<void> to) { table->arm(std::move(to)); };
}

}  // namespace herald::engine
