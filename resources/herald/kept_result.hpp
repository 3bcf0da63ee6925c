#pragma once
// The problem: `for (auto& event : store.read(after, 10)->events)` looks right and walks over what is gone: the result dies with
// the expression in front of the loop. A kept_result is a result whose `->` needs a variable; on a temporary it does not
// compile. `*store.read(...)` and `.value()` give the thing itself, which lives on: `for (auto& event : (*store.read(after, 10)).events)`.
//
// Thread safety: distinct objects: safe. Errors: those of the result.

#include <herald/error.hpp>

namespace herald {

template <class T>
class [[nodiscard]] kept_result : public result<T> {
 public:
  using result<T>::result;

  [[nodiscard]] T* operator->() & { return &this->value(); }
  [[nodiscard]] const T* operator->() const& { return &this->value(); }
  T* operator->() && {
    static_assert(!std::is_same_v<T, T>,
                  "herald: keep this result in a variable first: what -> reaches into is gone at the end of the expression");
    return nullptr;
  }
};

}  // namespace herald
