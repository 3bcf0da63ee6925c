#pragma once
// The problem: a subscriber wants to be told what an action did to a ticket as a ticket, and checked by the compiler.
// `herald::event<tickets>` is that message: its rows are Tickets, and it says to which topic it came and under which name.
// `herald::any_event` is the same for those who want every event of a store and know no structs: recorders, gateways.
//
// Both are two pointers and a number: sharing one event among a million subscribers copies no row.
// Thread safety: constant; distinct objects: safe. Lifetime: keeps its event alive. Errors: none; a row that an event does not have
// is null.

#include <herald/change_event.hpp>
#include <herald/dsl/description.hpp>

namespace herald {

template <const auto& Resource>
class event : public change_event<detail::row_type<Resource>> {
 public:
  /// `route`: which of the event's topics it came by; beyond them: it came by no topic, but from the log as a whole.
  event(event_ptr of, std::size_t route) : change_event<detail::row_type<Resource>>{std::move(of)}, route_{route} {}

  /// The topic it came by; empty when it came by none.
  [[nodiscard]] std::string_view topic() const noexcept {
    return has_route() ? std::string_view{this->erased()->route_at(route_).topic} : std::string_view{};
  }
  /// The publication's name for it, else the action's.
  [[nodiscard]] std::string_view name() const noexcept {
    return has_route() ? this->erased()->name_on(this->erased()->route_at(route_)) : this->action();
  }

 private:
  [[nodiscard]] bool has_route() const noexcept { return route_ < this->erased()->route_count(); }
  std::size_t route_;
};

class any_event {
 public:
  explicit any_event(event_ptr of) : event_{std::move(of)} {}

  [[nodiscard]] const event_record& operator*() const noexcept { return *event_; }
  [[nodiscard]] const event_record* operator->() const noexcept { return event_.get(); }
  [[nodiscard]] const event_ptr& share() const noexcept { return event_; }

 private:
  event_ptr event_;
};

}  // namespace herald
