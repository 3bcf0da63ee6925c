#pragma once
// The problem: to see what flows over a topic without knowing its types, for a terminal, a log, a test. A tap is a
// subscription for herald::tapped: it gets every event of its topic or pattern, whatever its type.
//
//   struct window : herald::process<window, herald::tapped> {
//     explicit window(herald::context& self) { herald::subscribe<herald::tapped>(self, "orders:**"); }
//     void on(const herald::tapped& t) { print(t.topic, t.type, t.publisher); }
//   };
//
// Events that nobody taps pay nothing for it. A tap is a subscriber like others: it can lag, has policies, is listed, and a
// producer that watches its topic is told that it is wanted. Filters, latest_by and groups need the event's type and are
// refused (bad_option). What it points to is valid until the handler returns; so a callback (callback.hpp) may be a tap on
// Herald's threads, and not on another loop.

#include <string_view>

#include <herald/engine/type_tag.hpp>
#include <herald/ref.hpp>

namespace herald {

struct tapped {
  std::string_view topic;
  std::string_view type;  ///< as the compiler spells it
  any_ref publisher;      ///< empty: a plain thread published
  const engine::type_tag* tag = nullptr;
  const void* payload = nullptr;

  /// The event when it is an E, null otherwise.
  template <class E>
  [[nodiscard]] const E* get_if() const noexcept {
    return tag == &engine::tag_of<E> ? static_cast<const E*>(payload) : nullptr;
  }
};

}  // namespace herald
