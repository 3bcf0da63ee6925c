#pragma once
// The problem: filters and transforms of a resource's publications, and its subscribers, want an event with the
// resource's own struct in it, not an erased record. `change_event<T>` is that typed look at an `event_record`.
//
// It is as cheap to copy as a shared pointer. `before` and `after` are null where there is no such row, and live as long as
// the event or a copy of it. Sensitive attributes in them are as in a new row.
//
// Thread safety: constant rows; distinct objects: safe.

#include <herald/dsl/member.hpp>
#include <herald/event_record.hpp>

namespace herald {

template <class T>
class change_event {
 public:
  using row_type = T;

  change_event() = default;
  explicit change_event(event_ptr of)
      : before{static_cast<const T*>(of->before.row())},
        after{static_cast<const T*>(of->after.row())},
        event_{std::move(of)} {}

  const T* before = nullptr;
  const T* after = nullptr;

  [[nodiscard]] event_kind kind() const noexcept { return event_->kind; }
  [[nodiscard]] std::string_view resource() const noexcept { return event_->resource->name; }
  [[nodiscard]] std::string_view action() const noexcept { return event_->action_info().name; }
  [[nodiscard]] herald::offset offset() const noexcept { return event_->at; }
  [[nodiscard]] const row_key& key() const noexcept { return event_->key; }
  [[nodiscard]] timestamp time() const noexcept { return event_->time; }
  [[nodiscard]] std::string_view tenant() const noexcept { return event_->tenant; }
  /// The name of who asked for the action; empty when it was not said.
  [[nodiscard]] std::string_view actor() const noexcept { return event_->actor; }
  [[nodiscard]] const std::vector<named_value>& metadata() const noexcept { return event_->metadata; }
  /// The row that is left: after, or before on destroy.
  [[nodiscard]] const T& row() const noexcept { return after ? *after : *before; }
  /// True when the action changed this attribute; on create true for each.
  template <auto M>
  [[nodiscard]] bool changed(dsl::field_token<M>) const noexcept {
    const auto& attributes = event_->resource->attributes;
    for (std::size_t i = 0; i < attributes.size(); ++i) {
      if (attributes[i].tag == &detail::member_tag<M>) return (event_->changed & detail::bit(i)) != 0;
    }
    return false;
  }
  [[nodiscard]] const event_ptr& erased() const noexcept { return event_; }

 private:
  event_ptr event_;
};

}  // namespace herald
