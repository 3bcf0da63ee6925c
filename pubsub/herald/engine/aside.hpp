#pragma once
// User code that belongs to a subscription and not to its process's present life: filters, keys, executors. It runs on the
// subscriber's host, within the crash shell and under the overrun watch, but it is no handler: when it overruns, the host
// goes on without it, and so does the process.

#include <string>

#include <herald/engine/crash_text.hpp>
#include <herald/engine/fan_out.hpp>
#include <herald/engine/topic_table.hpp>

namespace herald::engine {

enum class answer : std::uint8_t { yes, no, lost };

/// It threw: told once for each subscription.
void tell_throws(topic_table& table, std::uint32_t id, const cell& c, const char* what, const exit_reason& why);
/// It has returned on a runner that was left behind; it may be asked again.
void back_from_aside(frame& lost, std::uint32_t id, std::uint32_t generation);

/// Asks a function of the subscription. f.delivery must say which (topic_table::taken reads it). What it throws is a no.
/// `lost`: the host was taken meanwhile.
template <class F>
[[nodiscard]] answer ask(frame& f, cell& c, topic_table& table, std::uint32_t id, const char* what, F&& code) {
  const std::uint32_t generation = table.at(id).generation;
  bool yes = false;
  bool threw = false;
  exit_reason why;
  f.aside = true;
  enter_user(f, c);
  try {
    yes = code();
  } catch (...) {
    threw = true;
    why = crash_of_current_exception();
  }
  if (!leave_user(f)) [[unlikely]] {
    back_from_aside(f, id, generation);
    return answer::lost;
  }
  f.aside = false;
  if (threw) [[unlikely]]
    tell_throws(table, id, c, what, why);
  return yes ? answer::yes : answer::no;
}

}  // namespace herald::engine
