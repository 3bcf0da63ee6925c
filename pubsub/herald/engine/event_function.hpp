#pragma once
// Functions of an event that a subscription carries (its filter, the key of its conflation), erased: they are called with
// the payload, and know which type they want.

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include <herald/engine/type_tag.hpp>

namespace herald::engine {

template <class F>
struct first_argument {};
template <class F>
  requires requires { &F::operator(); }
struct first_argument<F> : first_argument<decltype(&F::operator())> {};
template <class R, class E, class... Rest>
struct first_argument<R (*)(const E&, Rest...)> {
  using type = E;
};
template <class R, class E, class... Rest>
struct first_argument<R (*)(const E&, Rest...) noexcept> {
  using type = E;
};
template <class C, class R, class E, class... Rest>
struct first_argument<R (C::*)(const E&, Rest...)> {
  using type = E;
};
template <class C, class R, class E, class... Rest>
struct first_argument<R (C::*)(const E&, Rest...) const> {
  using type = E;
};
template <class C, class R, class E, class... Rest>
struct first_argument<R (C::*)(const E&, Rest...) noexcept> {
  using type = E;
};
template <class C, class R, class E, class... Rest>
struct first_argument<R (C::*)(const E&, Rest...) const noexcept> {
  using type = E;
};
/// The E of a function that takes a const E& first.
template <class F>
using event_of = typename first_argument<std::remove_cvref_t<F>>::type;

template <class F>
concept event_function = requires { typename event_of<F>; };

/// User code: whoever calls it does so within the crash shell.
class event_filter_base {
 public:
  explicit event_filter_base(const type_tag& of) noexcept : type{&of} {}
  virtual ~event_filter_base() = default;
  event_filter_base(const event_filter_base&) = delete;
  event_filter_base& operator=(const event_filter_base&) = delete;
  [[nodiscard]] virtual bool wants(const void* event) const = 0;
  const type_tag* type;
};

class event_key {
 public:
  explicit event_key(const type_tag& of) noexcept : type{&of} {}
  virtual ~event_key() = default;
  event_key(const event_key&) = delete;
  event_key& operator=(const event_key&) = delete;
  [[nodiscard]] virtual std::size_t hash(const void* event) const = 0;
  [[nodiscard]] virtual bool same(const void* left, const void* right) const = 0;
  /// The same function, as far as can be told: one with captures is another one each time it is made.
  [[nodiscard]] virtual bool same_function(const event_key& other) const noexcept = 0;
  const type_tag* type;
};

/// A member as a function that can be compared.
template <class E, class K>
struct member_function {
  K E::*member;
  const K& operator()(const E& e) const { return e.*member; }
  friend bool operator==(const member_function&, const member_function&) = default;
};

template <class E, class F>
[[nodiscard]] std::shared_ptr<const event_filter_base> make_event_filter(F f) {
  struct filter final : event_filter_base {
    explicit filter(F&& function) : event_filter_base{tag_of<E>}, code(std::move(function)) {}
    bool wants(const void* event) const override { return static_cast<bool>(code(*static_cast<const E*>(event))); }
    mutable F code;
  };
  return std::make_shared<const filter>(std::move(f));
}

template <class E, class F>
[[nodiscard]] std::shared_ptr<const event_key> make_event_key(F f) {
  struct key final : event_key {
    explicit key(F&& function) : event_key{tag_of<E>}, code(std::move(function)) {}
    std::size_t hash(const void* event) const override {
      decltype(auto) value = code(*static_cast<const E*>(event));
      return std::hash<std::remove_cvref_t<decltype(value)>>{}(value);
    }
    bool same(const void* left, const void* right) const override {
      return code(*static_cast<const E*>(left)) == code(*static_cast<const E*>(right));
    }
    bool same_function(const event_key& other) const noexcept override {
      const auto* like = dynamic_cast<const key*>(&other);
      if constexpr (std::is_empty_v<F>) {
        return like != nullptr;
      } else if constexpr (std::equality_comparable<F>) {
        return like != nullptr && like->code == code;
      } else {
        return like == this;
      }
    }
    mutable F code;
  };
  return std::make_shared<const key>(std::move(f));
}

}  // namespace herald::engine
