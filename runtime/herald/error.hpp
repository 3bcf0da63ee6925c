#pragma once
// The problem: an actor program meets failures all the time that are nobody's bug (a call times out, a name is taken, a
// value is out of range). They must be impossible to overlook and cheap to pass on, and they must say what happened.
//
// `error` names its module's enumerator and carries one sentence that names the thing, what it got and what it wanted;
// where input fields are at fault it lists them. `result<T>` is a value or an error. Exceptions are left for bugs.
//
// Thread safety: distinct objects: safe; shared objects: safe to read. Lifetime: plain values; copies share the text.
// The idea: std::expected (P0323), which g++ 12 does not have, and std::error_code's domains.

#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace herald {

/// What one attribute or option did wrong, in an error that concerns input.
struct field_error {
  std::string field;
  std::string message;
  friend bool operator==(const field_error&, const field_error&) = default;
};

/// A module's set of error codes. One static object a module; errors are compared by its address and the code.
struct error_domain {
  std::string_view name;
  std::string_view (*code_name)(int code);
};

/// An enumeration E is an error code when `const error_domain& domain_of(E)` is found beside it.
template <class E>
concept error_code_enum = std::is_enum_v<E> && requires(E code) {
  { domain_of(code) } -> std::same_as<const error_domain&>;
};

class [[nodiscard]] error {
 public:
  template <error_code_enum E>
  error(E code, std::string message, std::vector<field_error> fields = {})
      : error{domain_of(code), static_cast<int>(code), std::move(message), std::move(fields)} {}

  [[nodiscard]] const error_domain& domain() const noexcept { return *domain_; }
  [[nodiscard]] int code() const noexcept { return code_; }
  /// The enumerator's name, for example "timeout".
  [[nodiscard]] std::string_view name() const noexcept { return domain_->code_name(code_); }
  /// One sentence for a person.
  [[nodiscard]] const std::string& message() const noexcept;
  [[nodiscard]] const std::vector<field_error>& fields() const noexcept;
  /// "runtime.timeout: <message>", then the fields, on one line.
  [[nodiscard]] std::string to_string() const;

  template <error_code_enum E>
  [[nodiscard]] bool is(E code) const noexcept {
    return domain_ == &domain_of(code) && code_ == static_cast<int>(code);
  }
  template <error_code_enum E>
  friend bool operator==(const error& left, E right) noexcept {
    return left.is(right);
  }

 private:
  struct detail;
  error(const error_domain& domain, int code, std::string message, std::vector<field_error> fields);

  const error_domain* domain_;
  int code_;
  std::shared_ptr<const detail> detail_;
};

/// Thrown when the value of a failed result is asked for: a bug in the caller, who did not look.
class bad_result : public std::exception {
 public:
  explicit bad_result(const error& why) : text_{why.to_string()} {}
  [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::string text_;
};

/// A T, or the error that stands in its place.
template <class T>
class [[nodiscard]] result {
 public:
  using value_type = T;

  template <class U = T>
    requires(std::is_constructible_v<T, U> && !std::is_same_v<std::remove_cvref_t<U>, result> &&
             !std::is_same_v<std::remove_cvref_t<U>, error>)
  result(U&& value) : value_{std::in_place, std::forward<U>(value)} {}  // NOLINT: a value is a result
  result(herald::error why) : why_{std::make_shared<const herald::error>(std::move(why))} {}  // NOLINT: an error is a result

  [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }

  [[nodiscard]] T& value() & { return checked(), *value_; }
  [[nodiscard]] const T& value() const& { return checked(), *value_; }
  [[nodiscard]] T value() && { return checked(), std::move(*value_); }
  [[nodiscard]] T& operator*() & { return value(); }
  [[nodiscard]] const T& operator*() const& { return value(); }
  [[nodiscard]] T operator*() && { return std::move(*this).value(); }
  [[nodiscard]] T* operator->() { return &value(); }
  [[nodiscard]] const T* operator->() const { return &value(); }
  template <class U>
  [[nodiscard]] T value_or(U&& other) const& {
    return has_value() ? *value_ : static_cast<T>(std::forward<U>(other));
  }

  /// Undefined unless the result is an error.
  [[nodiscard]] const herald::error& error() const noexcept { return *why_; }

  template <error_code_enum E>
  [[nodiscard]] bool is(E code) const noexcept {
    return !has_value() && error().is(code);
  }

 private:
  void checked() const {
    if (!has_value()) throw bad_result{error()};
  }
  // Not a variant: GCC 12 takes its destructor for a read of uninitialized memory, in every user's -O3 -Wall build.
  std::optional<T> value_;
  std::shared_ptr<const herald::error> why_;
};

template <>
class [[nodiscard]] result<void> {
 public:
  using value_type = void;
  result() = default;
  result(herald::error why) : error_{std::move(why)} {}  // NOLINT: an error is a result

  [[nodiscard]] bool has_value() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  void value() const {
    if (error_) throw bad_result{*error_};
  }
  [[nodiscard]] const herald::error& error() const noexcept { return *error_; }
  template <error_code_enum E>
  [[nodiscard]] bool is(E code) const noexcept {
    return error_ && error_->is(code);
  }

 private:
  std::optional<herald::error> error_;
};

/// The runtime's own failures: each with its cause and its cure.
enum class errc : int {
  timeout = 1,     ///< No answer within the limit. Cure: a longer limit, or find out why the callee is slow (reports).
  noproc,          ///< The process does not exist (any more). Cure: look the name up again, or treat it as ended.
  down,            ///< The process ended or crashed with the call in hand. Cure: retry if the request may run twice.
  restarting,      ///< The process crashed and is being restarted. Cure: try again shortly.
  overload,        ///< Its mailbox or its host's inbox is full. Cure: send less, or raise the mailbox limit.
  calling_self,    ///< A process called itself. Cure: call the function directly.
  would_block,     ///< A blocking form was used inside a handler. Cure: use the continuation form of the call.
  closed,          ///< The application is stopping or stopped. Cure: none; give up.
  bad_spec,        ///< A child or supervisor spec is wrong; nothing was started. Cure: see the fields.
  start_failed,    ///< A process did not get through its init. Cure: see the text for its own error.
  already_started, ///< A child of this name runs already.
  already_present, ///< A child of this name is known but not running: restart_child or delete_child it.
  not_found,       ///< No child, name or path of this spelling.
  running,         ///< The child runs, and the request needs one that does not.
  not_supported,   ///< The request does not fit this kind of supervisor.
  max_children,    ///< The dynamic supervisor is full.
  ignored,         ///< The process's init said ignore: not an error of the process.
  bad_option,      ///< An option has a value that is not allowed.
  failed,          ///< A function that was handed over (offload) threw; the text is the exception's. Cure: mend the function.
  already_registered,  ///< Another process holds this unique key. Cure: use its holder, or another key.
  refused,         ///< The state machine takes no such call in the state it is in. Cure: ask for the state first, or later.
  unanswered,      ///< The callee let go of the call without an answer. Cure: it must answer its reply_to.
  not_owner,       ///< A task was awaited by somebody else than the process that started it. Cure: let its owner await it.
  bad_trace,       ///< A traceparent breaks a rule of W3C Trace Context. Cure: the text says which; begin a new trace.
};
[[nodiscard]] const error_domain& domain_of(errc) noexcept;

}  // namespace herald
