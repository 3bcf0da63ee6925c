#pragma once
// The problem: an event must outlive the bus it was published on when it goes elsewhere, to another bus of the program or
// into an encoder, without being copied. A shared event holds the one payload and its type.
//
// Thread safety: a value; the payload is immutable. Lifetime: the payload ends with its last holder, event or subscriber.

#include <memory>
#include <string_view>
#include <utility>

#include <herald/engine/published.hpp>
#include <herald/trace.hpp>

namespace herald {

class shared_event {
 public:
  template <class E>
  [[nodiscard]] static shared_event make(E event) {
    return {engine::shared_ops_of<E>, std::make_shared<const E>(std::move(event))};
  }

  /// The event when it is an E, null otherwise.
  template <class E>
  [[nodiscard]] const E* get_if() const noexcept {
    return ops_->type == &engine::tag_of<E> ? static_cast<const E*>(payload_.get()) : nullptr;
  }
  [[nodiscard]] const engine::type_tag& type() const noexcept { return *ops_->type; }
  /// As the compiler spells it: for logs, not for the wire.
  [[nodiscard]] std::string_view type_name() const noexcept { return ops_->type->name; }
  [[nodiscard]] const void* payload() const noexcept { return payload_.get(); }

  /// The trace it belongs to, for those who send it elsewhere.
  [[nodiscard]] const trace_context& trace() const noexcept { return trace_; }
  void set_trace(const trace_context& trace) noexcept { trace_ = trace; }

  /// For the bus: something to publish that shares this payload.
  [[nodiscard]] engine::published* publishable() const { return engine::make_published(*ops_, payload_); }

 private:
  shared_event(const engine::published_ops& ops, std::shared_ptr<const void> payload) noexcept
      : ops_{&ops}, payload_{std::move(payload)} {}
  const engine::published_ops* ops_;
  std::shared_ptr<const void> payload_;
  trace_context trace_;
};

}  // namespace herald
