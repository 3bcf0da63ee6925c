#pragma once
// The problem: some work must not be done twice at once for one key (one user's cart, one file), whoever does it. A lock
// of a key excludes others who lock the same key, and nobody else; nothing blocks but a plain thread that asks to.
//
// Thread safety: distinct objects: safe; a lock may be released on any thread. Lifetime: held until released, destroyed,
// or until the holder's incarnation ends; a holder that hangs and is fenced off has ended, so what it still does runs
// beside the next holder. Errors: timeout; overload when 100 000 wait already. Waiters get it in the order they asked.
// The idea: Elixir's Registry.lock.

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

#include <herald/context.hpp>
#include <herald/engine/names.hpp>
#include <herald/engine/reply_once.hpp>

namespace herald {

class application;

namespace engine {
class lock_line;
}

/// One key, held. Empty after a move and after release.
class key_lock {
 public:
  key_lock() = default;
  key_lock(std::shared_ptr<engine::lock_line> line, std::uint64_t ticket) noexcept
      : line_{std::move(line)}, ticket_{ticket} {}
  key_lock(key_lock&& other) noexcept = default;
  key_lock& operator=(key_lock&& other) noexcept;
  ~key_lock() { release(); }
  explicit operator bool() const noexcept { return line_ != nullptr; }
  void release() noexcept;

 private:
  std::shared_ptr<engine::lock_line> line_;
  std::uint64_t ticket_ = 0;
};

namespace engine {

/// A process's place in a line, whether it holds or waits.
struct lock_record final : owned_thing {
  std::shared_ptr<lock_line> line;
  std::uint64_t ticket = 0;
  std::shared_ptr<lock_record> self;  ///< while it is listed
  void owner_ended() noexcept override;
};

/// Who holds one key and who waits for it. Lives while anybody does.
class lock_line : public std::enable_shared_from_this<lock_line> {
 public:
  explicit lock_line(std::function<void()> gone) : gone_{std::move(gone)} {}
  ~lock_line() { gone_(); }
  lock_line(const lock_line&) = delete;
  lock_line& operator=(const lock_line&) = delete;

  void ask(std::shared_ptr<lock_record> by, reply_once<key_lock> reply);
  /// Whoever has this ticket holds it or waits no longer.
  void leave(std::uint64_t ticket) noexcept;
  /// The same, by the holder itself.
  void release(std::uint64_t ticket) noexcept;

 private:
  static constexpr std::size_t max_waiters = 100'000;
  struct waiter_t {
    std::uint64_t ticket;
    std::shared_ptr<lock_record> by;
    reply_once<key_lock> reply;
  };
  std::function<void()> gone_;
  std::mutex mutex_;
  std::uint64_t last_ = 0;
  std::uint64_t holder_ = 0;  ///< 0: free
  std::shared_ptr<lock_record> record_;
  std::deque<waiter_t> waiters_;
};

void ask_for_lock(context& self, std::shared_ptr<lock_line> line, std::uint64_t call);
[[nodiscard]] result<key_lock> wait_for_lock(const application& app, const std::shared_ptr<lock_line>& line,
                                             std::chrono::milliseconds limit);

template <class Key, class Hash>
class lock_table : public std::enable_shared_from_this<lock_table<Key, Hash>> {
 public:
  [[nodiscard]] std::shared_ptr<lock_line> line(Key key) {
    const std::lock_guard lock{mutex_};
    auto& kept = lines_[key];
    if (auto found = kept.lock()) return found;
    auto made = std::make_shared<lock_line>([table = this->weak_from_this(), key = std::move(key)] {
      if (const auto t = table.lock()) t->forget(key);
    });
    kept = made;
    return made;
  }
  /// How many keys are held or waited for.
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock{mutex_};
    return lines_.size();
  }

 private:
  void forget(const Key& key) {
    const std::lock_guard lock{mutex_};
    const auto found = lines_.find(key);
    if (found != lines_.end() && found->second.expired()) lines_.erase(found);
  }
  mutable std::mutex mutex_;
  std::unordered_map<Key, std::weak_ptr<lock_line>, Hash, std::equal_to<>> lines_;
};

}  // namespace engine

}  // namespace herald
