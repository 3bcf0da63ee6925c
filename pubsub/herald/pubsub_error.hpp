#pragma once
// What topics and buses refuse, as values; see error.hpp for how errors are read.

#include <string_view>

#include <herald/error.hpp>

namespace herald {

enum class pubsub_errc : int {
  bad_topic = 1,  ///< The topic's name breaks a rule of topic.hpp. Cure: the text says which; escape_segment helps.
  closed,         ///< The application is stopping or stopped. Cure: none; give up.
  not_accepted,   ///< The process subscribes to a type it does not name. Cure: add it to process<...> with an on().
  wrong_place,    ///< A process's context was used outside of its own handlers. Cure: subscribe in init or a handler.
  would_block,    ///< A blocking question was asked inside a handler. Cure: ask from a plain thread.
  timeout,        ///< Not every host answered within the limit. Cure: a longer limit.
  bad_option,     ///< An option of a subscription, topic or bus cannot be. Cure: the text says what it got and what it wants.
  unknown_node,   ///< A direct broadcast names a node that the bus does not reach. Cure: node_name; the text says which are known.
  no_presence,    ///< No presence of this name runs. Cure: a presence_tracker in the tree, before those who use it.
  already_tracked,  ///< The process is there already, under this topic and key. Cure: update.
  not_tracked,    ///< The process is not there under this topic and key. Cure: track first.
  full,           ///< The presence has its max_presences. Cure: a higher limit, or fewer.
  unknown_dispatcher,  ///< An event of another node wants a dispatcher that this one has not. Cure: bus_options::dispatchers.
  adapter_failed, ///< The way to other nodes threw; nothing was published. Cure: the adapter's own error is in the text.
  not_started,    ///< The application does not run yet. Cure: ask after its start().
};
[[nodiscard]] const error_domain& domain_of(pubsub_errc) noexcept;

}  // namespace herald
