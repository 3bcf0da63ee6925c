#pragma once
// The problem: whoever watches a process must know why it ended, and a supervisor decides by it. OTP's rule is kept:
// normal and shutdown (with or without a word) are clean ends, everything else is a failure and is reported.
//
// Thread safety: a value; distinct objects: safe. The idea: Erlang/OTP's exit reasons.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace herald {

class exit_reason {
 public:
  enum class kind_t : std::uint8_t {
    normal,    ///< The process ended by itself, content.
    shutdown,  ///< It was asked to end, or says so; may carry a word.
    killed,    ///< It was ended by force: terminate was not run.
    crash,     ///< User code threw; the text is the exception's.
    noproc,    ///< There was no such process.
    custom,    ///< A reason of the application's own: counts as a failure.
  };
  using enum kind_t;

  exit_reason() = default;
  exit_reason(kind_t kind) noexcept : kind_{kind} {}  // NOLINT: a kind is a reason
  exit_reason(kind_t kind, std::string text)
      : kind_{kind}, text_{std::make_shared<const std::string>(std::move(text))} {}

  [[nodiscard]] kind_t kind() const noexcept { return kind_; }
  [[nodiscard]] std::string_view text() const noexcept { return text_ ? std::string_view{*text_} : std::string_view{}; }
  /// Normal and shutdown: no report, and a transient child is not restarted.
  [[nodiscard]] bool clean() const noexcept { return kind_ == normal || kind_ == shutdown; }
  /// "shutdown", "crash: std::runtime_error: boom".
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const exit_reason& left, const exit_reason& right) noexcept {
    return left.kind_ == right.kind_ && left.text() == right.text();
  }

 private:
  kind_t kind_ = normal;
  std::shared_ptr<const std::string> text_;
};

}  // namespace herald
