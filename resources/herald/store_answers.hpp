#pragma once
// The problem: some questions to a store have an answer of several parts, which belong to one moment or one action. These are they,
// and how a process's continuation is given an answer.
//
// Thread safety: plain values. Errors: none of their own.

#include <herald/action.hpp>
#include <herald/context.hpp>

#include <type_traits>
#include <utility>
#include <vector>

namespace herald {

/// Rows of one resource, and the offset they belong to: subscribe after it, and nothing is missed.
template <class T>
struct snapshot_of {
  std::vector<T> rows;
  offset at;
};

/// What an action did.
template <class T>
struct performed {
  T row;                       ///< as it is now; of a destroy: as it was
  event_kind kind = event_kind::created;
  event_ptr event;             ///< null when none was written
  std::string hook_trouble;    ///< what a hook after the commit threw; the action is committed all the same
};

/// A stretch of the log.
struct log_stretch {
  std::vector<event_ptr> events;
  offset last;  ///< go on reading from here
  offset head;  ///< the log's newest event when this was read
};

namespace detail {

/// A continuation takes its answer, or the context first.
template <class Then, class Answer>
inline constexpr bool continues = std::is_invocable_v<Then&, context&, Answer> || std::is_invocable_v<Then&, Answer>;

template <class Then, class Answer>
void resume(Then& then, context& here, Answer answer) {
  if constexpr (std::is_invocable_v<Then&, context&, Answer>) {
    then(here, std::move(answer));
  } else {
    then(std::move(answer));
  }
}

}  // namespace detail

}  // namespace herald
