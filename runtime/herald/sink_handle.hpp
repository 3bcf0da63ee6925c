#pragma once
// Keeps a sink in use: when the handle ends, the sink is not called any more, and is not being called.
// Thread safety: distinct objects: safe. A sink may end its own handle. Lifetime: may outlive the application.

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace herald {

namespace engine {

struct closable {
  virtual ~closable() = default;
  virtual void close() noexcept = 0;
};

/// A sink and the right to call it.
template <class T>
class sink_slot : public closable {
 public:
  explicit sink_slot(std::function<void(const T&)> f) : call_{std::move(f)} {}
  /// False: it is closed. What it throws is ignored: it has nobody to tell but itself.
  bool operator()(const T& what) {
    const std::lock_guard lock{mutex_};
    if (closed_) return false;
    try {
      call_(what);
    } catch (...) {
      return true;
    }
    return true;
  }
  void close() noexcept override {
    const std::lock_guard lock{mutex_};
    closed_ = true;
  }
  [[nodiscard]] bool open() {
    const std::lock_guard lock{mutex_};
    return !closed_;
  }

 private:
  std::recursive_mutex mutex_;
  bool closed_ = false;
  std::function<void(const T&)> call_;
};

}  // namespace engine

class [[nodiscard]] sink_handle {
 public:
  sink_handle() = default;
  explicit sink_handle(std::shared_ptr<engine::closable> of) noexcept : of_{std::move(of)} {}
  sink_handle(sink_handle&&) noexcept = default;
  sink_handle& operator=(sink_handle&& other) noexcept {
    if (this != &other) {
      end();
      of_ = std::move(other.of_);
    }
    return *this;
  }
  ~sink_handle() { end(); }
  void end() noexcept {
    if (auto of = std::exchange(of_, nullptr)) of->close();
  }
  explicit operator bool() const noexcept { return of_ != nullptr; }

 private:
  std::shared_ptr<engine::closable> of_;
};

}  // namespace herald
