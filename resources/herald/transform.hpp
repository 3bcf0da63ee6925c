#pragma once
// The problem: a subscriber may want less than the whole event, or something else made of it: a price, not a row.
//
//   publish("move", topic("price", field<&Quote::symbol>),
//     transform{[](const change_event<Quote>& e) { return price_changed{e.after->symbol, e.after->price}; }})
//
// The publication's topic then carries that message instead of event<resource>. It runs on the notifier, after the commit;
// when it throws, that message is lost and reported, and nothing else. The log keeps the event itself, so followers of the
// log get events, never transformed messages.
//
// Thread safety: the function must be a lambda without captures; it runs on the notifier. Errors: compile errors; what it throws is a
// dead letter of that publication, in the reports.

#include <herald/dsl/publication.hpp>
#include <herald/engine/published.hpp>

namespace herald::dsl {

template <class F>
struct transform {
  explicit constexpr transform(F) {}
};

}  // namespace herald::dsl

namespace herald::detail {

template <class F>
inline constexpr bool is_transform<dsl::transform<F>> = true;

template <class F, class Event>
concept gives_message = std::is_class_v<std::invoke_result_t<F, Event>>;

template <class T, class F>
constexpr void type_option(publication_info& info, type_of_option<dsl::transform<F>>) {
  static_assert(stateless<F>, "herald: transform needs a lambda without captures");
  constexpr bool fits = gives_message<F, const change_event<T>&>;
  static_assert(fits, "herald: transform takes const change_event<Row>& and gives the message to publish");
  if constexpr (fits) {
    info.transform = [](const event_ptr& event) -> engine::published* {
      return engine::make_published(F{}(change_event<T>{event}));
    };
  }
}

}  // namespace herald::detail
