#pragma once
// The problem: an action is asked for by somebody, and rules, hooks and the log want to know by whom, whatever an
// application's users are. An `actor` is a name, which goes into the event, and, if wanted, the application's own object
// behind it, which authorise hooks and changes can look at and which goes nowhere.
//
//   store.run<tickets, "close">(id, action_options{.by = actor{"ada", user{.id = 7, .admin = true}}});
//   authorise{[](const actor& who, const auto& ticket) { const auto* u = who.as<user>(); return u && u->admin; }}
//
// Thread safety: constant; distinct objects: safe. Lifetime: shares its object.

#include <memory>
#include <string>
#include <utility>

namespace herald {

class actor {
 public:
  actor() = default;  // nobody
  explicit actor(std::string name) : name_{std::move(name)} {}
  template <class T>
  actor(std::string name, T who)
      : name_{std::move(name)}, type_{&tag<T>}, object_{std::make_shared<const T>(std::move(who))} {}

  /// True when there is somebody.
  explicit operator bool() const noexcept { return !name_.empty() || object_ != nullptr; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// The application's object, when it is a T; else null.
  template <class T>
  [[nodiscard]] const T* as() const noexcept {
    return type_ == &tag<T> ? static_cast<const T*>(object_.get()) : nullptr;
  }

 private:
  template <class T>
  static constexpr char tag = 0;

  std::string name_;
  const void* type_ = nullptr;
  std::shared_ptr<const void> object_;
};

}  // namespace herald
