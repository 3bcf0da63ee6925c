#pragma once
// The resources that the crash test writes: together they have every kind of key, an identity, topics, and rows that come
// and go.

#include <herald/resource.hpp>

#include <optional>
#include <string>
#include <vector>

namespace herald::crash {

struct account {
  uuid id;
  std::string owner;
  std::int64_t balance = 0;
  std::int64_t version = 0;
};

struct entry {
  std::int64_t id = 0;
  std::int64_t amount = 0;
  std::string text;
};

struct place {
  std::string area;
  std::int64_t number = 0;
  std::optional<double> height;
};

struct receipt {
  std::int64_t id = 0;
  std::int64_t of = 0;  // the sequence of an entry's event
};

namespace described {
using namespace herald::dsl;

inline constexpr auto accounts = herald::resource<account>(
    "accounts", attribute<&account::id>(primary_key, uuid_v7), attribute<&account::owner>(),
    attribute<&account::balance>(), attribute<&account::version>(optimistic_lock), identity<&account::owner>("owner"),
    create("open", accepts<&account::owner, &account::balance>), update("move", accepts<&account::balance>),
    update("sell", accepts<&account::owner>), destroy("close"),
    pub_sub("account", publish("open", topic("opened")), publish("sell", topic("of", field<&account::owner>), previous_values),
            publish_all(op::update, topic("changed", pkey)), publish_all(op::destroy, topic("closed"))));

inline constexpr auto entries = herald::resource<entry>(
    "entries", attribute<&entry::id>(primary_key, generated), attribute<&entry::amount>(), attribute<&entry::text>(),
    create("book", accepts<&entry::amount, &entry::text>), destroy("strike"),
    pub_sub("entry", publish("book", topic("booked")), publish("strike", topic("struck"))));

inline constexpr auto places = herald::resource<place>(
    "places", attribute<&place::area>(primary_key), attribute<&place::number>(primary_key), attribute<&place::height>(),
    create("found", accepts<&place::area, &place::number, &place::height>), update("measure", accepts<&place::height>),
    destroy("abandon"), pub_sub("place", publish_all(op::update, topic(field<&place::area>))));

inline constexpr auto receipts = herald::resource<receipt>(
    "receipts", attribute<&receipt::id>(primary_key, generated), attribute<&receipt::of>(),
    create("write", accepts<&receipt::of>), pub_sub("receipt", publish("write", topic("written"))));
}  // namespace described

inline const std::vector<const resource_table*> tables{&table_of<described::accounts>, &table_of<described::entries>,
                                                       &table_of<described::places>, &table_of<described::receipts>};

}  // namespace herald::crash
