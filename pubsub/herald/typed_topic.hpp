#pragma once
// The problem: a topic is a name, and who misspells it or publishes another type to it learns of it late, from a count
// that stays zero. A typed topic is declared once, in a header, with the type that travels on it; the compiler refuses
// everything else, and a wrong name too.
//
//   inline constexpr herald::typed_topic<price_changed> prices{"prices"};
//
//   herald::subscribe(self, prices);                                     // in a process
//   herald::subscribe(self, prices / "eu");                              // "prices:eu", checked by the compiler
//   herald::subscribe(self, prices / herald::any_segment / "daily");     // "prices:*:daily", a typed pattern
//   herald::broadcast(self, prices / symbol, price_changed{...});        // one more segment at run time, escaped
//   const auto eu = (prices / "eu").on(herald::bus{app});                // a handle, as bus::topic gives
//   eu.broadcast({"ACME", 7.5});
//
// Thread safety and lifetime: values; a handle as herald::topic. Errors: at compile time where the text is known then; a
// segment that makes the name longer than 255 bytes throws std::logic_error. The idea: MQTT's topic trees with the types
// that Akka's and CAF's typed actors have.

#include <algorithm>
#include <array>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <herald/bus.hpp>
#include <herald/subscription.hpp>
#include <herald/topic.hpp>

namespace herald {

// Not constexpr on purpose: the compiler's message quotes the name of the rule that was broken.
namespace rule {
inline void a_topic_is_not_empty() {}
inline void a_topic_has_no_empty_segment() {}
inline void a_topic_has_no_control_characters() {}
inline void a_typed_topic_has_at_most_255_bytes() {}
inline void a_typed_topic_has_no_wildcards_but_a_typed_pattern_has() {}
inline void a_pattern_has_two_stars_only_as_its_last_segment() {}
}  // namespace rule

namespace detail {

inline constexpr std::size_t max_typed_bytes = 255;

/// What the compiler can know to be wrong; calls the rule that is broken.
constexpr void check_literal(std::string_view text, bool pattern) {
  if (text.empty()) rule::a_topic_is_not_empty();
  if (text.size() > max_typed_bytes) rule::a_typed_topic_has_at_most_255_bytes();
  for (const char c : text)
    if ((c >= 0 && c < 0x20) || c == 0x7f) rule::a_topic_has_no_control_characters();
  for (bool rest = false; !text.empty() || rest;) {
    const auto end = text.find(topic_delimiter);
    const auto segment = text.substr(0, end);
    if (segment.empty()) rule::a_topic_has_no_empty_segment();
    if (segment == "*" || segment == "**") {
      if (!pattern) rule::a_typed_topic_has_no_wildcards_but_a_typed_pattern_has();
      if (segment == "**" && end != std::string_view::npos) rule::a_pattern_has_two_stars_only_as_its_last_segment();
    }
    rest = end != std::string_view::npos;
    text = rest ? text.substr(end + 1) : std::string_view{};
  }
}

/// Text that the compiler has checked.
template <bool Pattern>
struct literal_name {
  template <std::size_t N>
  consteval literal_name(const char (&literal)[N]) : text{literal, N - 1} {  // NOLINT: a literal is a name
    check_literal(text, Pattern);
  }
  std::string_view text;
};

/// A name in a value of its own, so that a constant can hold one that was put together.
class topic_text {
 public:
  constexpr explicit topic_text(std::string_view text) { append(text); }
  [[nodiscard]] constexpr topic_text with(std::string_view segment) const {
    auto longer = *this;
    longer.append(std::string_view{&topic_delimiter, 1});
    longer.append(segment);
    return longer;
  }
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {bytes_.data(), size_}; }

 private:
  constexpr void append(std::string_view text) {
    if (size_ + text.size() > max_typed_bytes)
      throw std::logic_error{"a typed topic would be longer than 255 bytes; wanted: shorter segments, or a name of its own"};
    std::copy(text.begin(), text.end(), bytes_.begin() + size_);
    size_ = static_cast<std::uint8_t>(size_ + text.size());
  }
  std::array<char, max_typed_bytes> bytes_{};
  std::uint8_t size_ = 0;
};

template <class T>
concept run_time_text = std::is_convertible_v<const T&, std::string_view> && !std::is_array_v<T>;

template <class Given, class E>
concept carries = std::is_convertible_v<Given, E>;

}  // namespace detail

struct any_segment_t {};
struct any_rest_t {};
/// "*" and "**" at the end of a typed topic or pattern.
inline constexpr any_segment_t any_segment{};
inline constexpr any_rest_t any_rest{};

/// A pattern whose events are all of type E. Nobody publishes to a pattern.
template <class E>
class typed_pattern {
 public:
  using event = E;
  consteval explicit typed_pattern(detail::literal_name<true> pattern) : text_{pattern.text} {}

  [[nodiscard]] constexpr std::string_view name() const noexcept { return text_.view(); }
  /// One more segment; none can follow "**".
  [[nodiscard]] constexpr typed_pattern operator/(detail::literal_name<true> segments) const { return with(segments.text); }
  template <detail::run_time_text T>
  [[nodiscard]] typed_pattern operator/(const T& value) const {
    return with(escape_segment(value));
  }
  [[nodiscard]] constexpr typed_pattern operator/(any_segment_t) const { return with("*"); }
  [[nodiscard]] constexpr typed_pattern operator/(any_rest_t) const { return with("**"); }

 private:
  template <class>
  friend class typed_topic;
  constexpr explicit typed_pattern(const detail::topic_text& text) : text_{text} {}
  [[nodiscard]] constexpr typed_pattern with(std::string_view segment) const {
    if (name() == "**" || name().ends_with(":**")) rule::a_pattern_has_two_stars_only_as_its_last_segment();
    return typed_pattern{text_.with(segment)};
  }
  detail::topic_text text_;
};

/// A handle on a topic that takes events of type E only; its members are those of topic.
template <class E>
class typed_handle {
 public:
  using event = E;
  explicit typed_handle(topic to) noexcept : to_{std::move(to)} {}

  bool broadcast(E what) const { return to_.broadcast(std::move(what)); }
  bool broadcast(E what, retain_t) const { return to_.broadcast(std::move(what), retain); }
  result<void> broadcast(E what, const dispatcher& by) const { return to_.broadcast(std::move(what), by); }
  bool clear() const { return to_.clear(); }
  [[nodiscard]] std::size_t retained() const { return to_.retained(); }
  [[nodiscard]] bool wanted() const { return to_.wanted(); }
  bool broadcast_from(const any_ref& from, E what) const { return to_.broadcast_from(from, std::move(what)); }
  bool local_broadcast(E what) const { return to_.local_broadcast(std::move(what)); }
  bool local_broadcast_from(const any_ref& from, E what) const { return to_.local_broadcast_from(from, std::move(what)); }
  result<void> direct_broadcast(std::string_view node, E what) const { return to_.direct_broadcast(node, std::move(what)); }
  /// Only here to say it in words.
  template <class Other>
    requires(!detail::carries<Other, E>)
  bool broadcast(const Other&) const {
    static_assert(detail::carries<Other, E>, "herald: this topic carries events of another type");
    return false;
  }

  /// Without its type.
  [[nodiscard]] const topic& untyped() const noexcept { return to_; }
  [[nodiscard]] std::string_view name() const noexcept { return to_.name(); }
  friend bool operator==(const typed_handle&, const typed_handle&) = default;

 private:
  topic to_;
};

template <class E>
class typed_topic {
 public:
  using event = E;
  consteval explicit typed_topic(detail::literal_name<false> name) : text_{name.text} {}

  [[nodiscard]] constexpr std::string_view name() const noexcept { return text_.view(); }
  [[nodiscard]] constexpr typed_topic operator/(detail::literal_name<false> segments) const {
    return typed_topic{text_.with(segments.text)};
  }
  /// Whatever the text says, it becomes one segment (escape_segment).
  template <detail::run_time_text T>
  [[nodiscard]] typed_topic operator/(const T& value) const {
    return typed_topic{text_.with(escape_segment(value))};
  }
  [[nodiscard]] constexpr typed_pattern<E> operator/(any_segment_t) const { return typed_pattern<E>{text_.with("*")}; }
  [[nodiscard]] constexpr typed_pattern<E> operator/(any_rest_t) const { return typed_pattern<E>{text_.with("**")}; }

  /// A handle: publishing through it costs no hashing. Throws std::logic_error when the literal was no UTF-8.
  [[nodiscard]] typed_handle<E> on(const bus& where) const {
    auto found = where.topic(name());
    if (!found) throw std::logic_error{found.error().message()};
    return typed_handle<E>{*std::move(found)};
  }
  /// The same for a topic that keeps events. Throws std::logic_error too when it keeps another number already, or the number
  /// is wrong; bus::topic says that as a value.
  [[nodiscard]] typed_handle<E> on(const bus& where, const topic_options& options) const {
    auto found = where.topic(name(), options);
    if (!found) throw std::logic_error{found.error().message()};
    return typed_handle<E>{*std::move(found)};
  }

 private:
  constexpr explicit typed_topic(const detail::topic_text& text) : text_{text} {}
  detail::topic_text text_;
};

namespace detail {
template <class T>
inline constexpr bool is_typed = false;
template <class E>
inline constexpr bool is_typed<typed_topic<E>> = true;
template <class E>
inline constexpr bool is_typed<typed_pattern<E>> = true;
template <class E>
inline constexpr bool is_typed<typed_handle<E>> = true;
/// A typed topic, pattern or handle.
template <class T>
concept typed = is_typed<T>;
template <class T>
using typed_event = typename T::event;

template <class T, class... Said>
constexpr void says_its_own() {
  static_assert(sizeof...(Said) == 0 || (std::is_same_v<typed_event<T>, Said> && ...),
                "herald: this topic carries events of another type");
}

template <class T>
[[nodiscard]] bus bus_of(const context& self, const T&) {
  return bus{self};
}
template <class E>
[[nodiscard]] bus bus_of(const context&, const typed_handle<E>& handle) {
  return handle.untyped().bus();
}
}  // namespace detail

/// As with a name; the type is the topic's own. `Said`: whoever writes subscribe<E>(...) all the same must say that one.
/// A handle is of its own bus; topics and patterns are of the default one, or of the bus that is said.
template <class... Said, detail::typed T>
bool subscribe(context& self, const T& to, subscription_options options = {}) {
  detail::says_its_own<T, Said...>();
  return subscribe<detail::typed_event<T>>(self, detail::bus_of(self, to), to.name(), std::move(options));
}
template <class... Said, detail::typed T>
bool subscribe(context& self, const bus& where, const T& to, subscription_options options = {}) {
  detail::says_its_own<T, Said...>();
  return subscribe<detail::typed_event<T>>(self, where, to.name(), std::move(options));
}
template <class... Said, detail::typed T>
[[nodiscard]] result<void> try_subscribe(context& self, const T& to, subscription_options options = {}) {
  detail::says_its_own<T, Said...>();
  return try_subscribe<detail::typed_event<T>>(self, detail::bus_of(self, to), to.name(), std::move(options));
}
template <class... Said, detail::typed T>
[[nodiscard]] result<void> try_subscribe(context& self, const bus& where, const T& to, subscription_options options = {}) {
  detail::says_its_own<T, Said...>();
  return try_subscribe<detail::typed_event<T>>(self, where, to.name(), std::move(options));
}
template <detail::typed T>
void unsubscribe(context& self, const T& from) {
  unsubscribe(self, detail::bus_of(self, from), from.name());
}
template <detail::typed T>
void unsubscribe(context& self, const bus& where, const T& from) {
  unsubscribe(self, where, from.name());
}
template <detail::typed T>
void unsubscribe_key(context& self, const T& from, std::string_view key) {
  unsubscribe_key(self, detail::bus_of(self, from), from.name(), key);
}
template <detail::typed T>
void unsubscribe_key(context& self, const bus& where, const T& from, std::string_view key) {
  unsubscribe_key(self, where, from.name(), key);
}

/// As the members of bus of these names.
template <class E>
result<void> broadcast(const bus& where, const typed_topic<E>& to, std::type_identity_t<E> event) {
  return where.broadcast(to.name(), std::move(event));
}
template <class E>
result<void> broadcast(const bus& where, const typed_topic<E>& to, std::type_identity_t<E> event, retain_t) {
  return where.broadcast(to.name(), std::move(event), retain);
}
/// By way of a dispatcher (dispatcher.hpp).
template <class E>
result<void> broadcast(const bus& where, const typed_topic<E>& to, std::type_identity_t<E> event, const dispatcher& by) {
  return engine::broadcast_everywhere(*where.inside(), to.name(), shared_event::make(std::move(event)), {}, &by);
}
template <class E>
result<void> broadcast_from(const bus& where, const any_ref& from, const typed_topic<E>& to, std::type_identity_t<E> event) {
  return where.broadcast_from(from, to.name(), std::move(event));
}
template <class E>
result<void> local_broadcast(const bus& where, const typed_topic<E>& to, std::type_identity_t<E> event) {
  return where.local_broadcast(to.name(), std::move(event));
}
template <class E>
result<void> local_broadcast_from(const bus& where, const any_ref& from, const typed_topic<E>& to, std::type_identity_t<E> event) {
  return where.local_broadcast_from(from, to.name(), std::move(event));
}
template <class E>
result<void> direct_broadcast(const bus& where, std::string_view node, const typed_topic<E>& to, std::type_identity_t<E> event) {
  return where.direct_broadcast(node, to.name(), std::move(event));
}
/// To the default bus.
template <class E>
result<void> broadcast(const context& self, const typed_topic<E>& to, std::type_identity_t<E> event) {
  return bus{self}.broadcast(to.name(), std::move(event));
}
template <class E>
result<void> broadcast(const context& self, const typed_topic<E>& to, std::type_identity_t<E> event, retain_t) {
  return bus{self}.broadcast(to.name(), std::move(event), retain);
}
/// Only here to say it in words.
template <class E, class Other>
  requires(!detail::carries<Other, E>)
result<void> broadcast(const bus&, const typed_topic<E>&, const Other&) {
  static_assert(detail::carries<Other, E>, "herald: this topic carries events of another type");
  return {};
}
template <class E, class Other>
  requires(!detail::carries<Other, E>)
result<void> broadcast(const context&, const typed_topic<E>&, const Other&) {
  static_assert(detail::carries<Other, E>, "herald: this topic carries events of another type");
  return {};
}
template <class E, class Other>
result<void> broadcast(const bus&, const typed_pattern<E>&, const Other&) {
  static_assert(!std::is_same_v<Other, Other>, "herald: nobody publishes to a pattern; wanted: a typed_topic");
  return {};
}
template <class E, class Other>
result<void> broadcast(const context&, const typed_pattern<E>&, const Other&) {
  static_assert(!std::is_same_v<Other, Other>, "herald: nobody publishes to a pattern; wanted: a typed_topic");
  return {};
}

}  // namespace herald
