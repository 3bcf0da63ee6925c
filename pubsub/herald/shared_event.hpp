#pragma once
// The problem: an event must outlive the bus it was published on when it goes elsewhere, to another bus of the program or
// into an encoder, without being copied. A shared event holds the one payload and its type.
//
// Thread safety: a value; the payload is immutable. Lifetime: the payload ends with its last holder, event or subscriber.

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <herald/engine/published.hpp>
#include <herald/trace.hpp>

namespace herald {

/// What its publisher said of an event beside its payload, and what every node must know to hand it out in the same way.
struct event_terms {
  bool retain = false;       ///< each node's topic keeps it for those who come late
  std::string dispatcher{};  ///< the name of the one that decides what each subscription gets; empty: the bus itself
  trace_context trace{};     ///< that the event belongs to
};

class shared_event {
 public:
  template <class E>
  [[nodiscard]] static shared_event make(E event, event_terms terms = {}) {
    return {engine::shared_ops_of<E>, std::make_shared<const E>(std::move(event)), std::move(terms)};
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

  /// For those who send it elsewhere, or take it in from there.
  [[nodiscard]] const event_terms& terms() const noexcept { return terms_; }
  void set_terms(event_terms terms) noexcept { terms_ = std::move(terms); }

  /// For the bus: something to publish that shares this payload.
  [[nodiscard]] engine::published* publishable() const { return engine::make_published(*ops_, payload_); }

 private:
  shared_event(const engine::published_ops& ops, std::shared_ptr<const void> payload, event_terms terms) noexcept
      : ops_{&ops}, payload_{std::move(payload)}, terms_{std::move(terms)} {}
  const engine::published_ops* ops_;
  std::shared_ptr<const void> payload_;
  event_terms terms_;
};

}  // namespace herald
