#pragma once
// The problem: one event that a durable consumer cannot handle must not hold up all that come behind it, and must not be
// lost. This resource is where such events go, in the transaction that moves the consumer's cursor over them. List it when
// the store is opened:
//
//   store::open({&table_of<tickets>, &table_of<herald::dead_letters>}, ...)
//
// Each burial is an event like any other, on the topic `dead_letters:CONSUMER` (the consumer's name, escaped): subscribe to it live,
// or follow it from the log. Once dealt with, `store.run<dead_letters, "forget">(id)` takes the row away.
//
// Thread safety: constant. The idea: the dead letter queues of message brokers.

#include <herald/resource.hpp>

namespace herald {

struct dead_letter_row {
  uuid id;
  std::string consumer;       ///< the consumer's name
  std::string at;             ///< the event's offset, as offset::to_string gives it
  std::string resource;       ///< of the event
  std::string action;         ///< of the event
  std::string key;            ///< of the event's row
  std::int64_t tries = 0;     ///< how often the consumer tried
  std::string reason;         ///< why the last try failed
  std::string event;          ///< the event as JSON, since the log may drop it before anybody looks
  timestamp buried_at{};
};

inline constexpr auto dead_letters = resource<dead_letter_row>(
    "dead_letters", dsl::attribute<&dead_letter_row::id>(dsl::primary_key, dsl::uuid_v7),
    dsl::attribute<&dead_letter_row::consumer>(), dsl::attribute<&dead_letter_row::at>(),
    dsl::attribute<&dead_letter_row::resource>(), dsl::attribute<&dead_letter_row::action>(),
    dsl::attribute<&dead_letter_row::key>(), dsl::attribute<&dead_letter_row::tries>(),
    dsl::attribute<&dead_letter_row::reason>(), dsl::attribute<&dead_letter_row::event>(),
    dsl::attribute<&dead_letter_row::buried_at>(dsl::inserted_at),
    dsl::create("bury", dsl::accepts<&dead_letter_row::consumer, &dead_letter_row::at, &dead_letter_row::resource,
                                     &dead_letter_row::action, &dead_letter_row::key, &dead_letter_row::tries,
                                     &dead_letter_row::reason, &dead_letter_row::event>),
    dsl::destroy("forget"),
    dsl::pub_sub("dead_letters", dsl::publish("bury", dsl::topic(dsl::field<&dead_letter_row::consumer>)),
                 dsl::publish("forget", dsl::topic(dsl::field<&dead_letter_row::consumer>, "forgotten"))));

}  // namespace herald
