#pragma once
// A resource with every kind of value that is more than one: enumerations, lists, maps and structs inside structs.
#include <herald/resource.hpp>

#include <map>

namespace customer_test {

enum class standing { fresh, trusted, barred };
enum class channel : std::uint8_t { mail = 3, phone = 9 };

struct Address {
  std::string street, town;
  std::string door_code;
  std::optional<std::string> note{};
};

struct Contact {
  channel by = channel::mail;
  std::string at;
  Address where{};
  std::vector<std::int64_t> hours{};
};

struct Customer {
  std::int64_t id = 0;
  customer_test::standing standing = standing::fresh;
  std::optional<channel> prefers;
  Address home;
  std::vector<Contact> contacts;
  std::map<std::string, std::int64_t> points;
  std::map<channel, Address> by_channel;
  std::vector<herald::timestamp> visits;
  std::optional<Address> summer;
};

}  // namespace customer_test

template <>
inline constexpr auto herald::described<customer_test::Address> = herald::structure<customer_test::Address>("address",
    herald::dsl::attribute<&customer_test::Address::street>(herald::dsl::max_length{20}),
    herald::dsl::attribute<&customer_test::Address::town>(herald::dsl::one_of{"Ghent", "Bruges"}),
    herald::dsl::attribute<&customer_test::Address::door_code>(herald::dsl::sensitive),
    herald::dsl::attribute<&customer_test::Address::note>());

template <>
inline constexpr auto herald::described<customer_test::Contact> = herald::structure<customer_test::Contact>("contact",
    herald::dsl::attribute<&customer_test::Contact::by>(), herald::dsl::attribute<&customer_test::Contact::at>(),
    herald::dsl::attribute<&customer_test::Contact::where>(), herald::dsl::attribute<&customer_test::Contact::hours>());

namespace customer_test {

using namespace herald::dsl;

inline constexpr auto customers = herald::resource<Customer>("customers",
  attribute<&Customer::id>(primary_key, generated),
  attribute<&Customer::standing>(initial(standing::fresh), transitions(from(standing::fresh, standing::trusted, standing::barred),
                                                                       from(standing::trusted, standing::barred))),
  attribute<&Customer::prefers>(one_of{channel::mail, channel::phone}),
  attribute<&Customer::home>(), attribute<&Customer::contacts>(max_length{2}), attribute<&Customer::points>(max_length{3}),
  attribute<&Customer::by_channel>(), attribute<&Customer::visits>(),
  attribute<&Customer::summer>(default_from{[] { return Address{.street = "Dyke", .town = "Bruges", .door_code = "0000"}; }}),
  create("enter", accepts<&Customer::prefers, &Customer::home, &Customer::contacts, &Customer::points, &Customer::by_channel,
                          &Customer::visits>),
  update("judge", accepts<&Customer::standing>),
  update("move", accepts<&Customer::home>),
  destroy("leave"),
  pub_sub("customer",
    publish("judge", topic("is", field<&Customer::standing>), previous_values),
    publish_all(herald::op::create, topic(any_of(field<&Customer::prefers>, skip), "entered")),
    publish("move", topic("moved"))));

inline Customer sample() {
  Customer one;
  one.prefers = channel::phone;
  one.home = {.street = "Veldstraat 1", .town = "Ghent", .door_code = "1234", .note = "ring twice"};
  one.contacts = {{.by = channel::phone, .at = "+32", .where = {.street = "Dok", .town = "Bruges", .door_code = "9876"}, .hours = {9, 17}}};
  one.points = {{"coffee", 3}, {"tea", -1}};
  one.by_channel = {{channel::mail, {.street = "Box 7", .town = "Ghent", .door_code = "5555"}}};
  one.visits = {herald::timestamp{std::chrono::microseconds{1'700'000'000'000'000}}};
  return one;
}

inline herald::action_request entering(const Customer& one) {
  return herald::request_for<customers, "enter">(field<&Customer::prefers> = one.prefers, field<&Customer::home> = one.home,
                                                 field<&Customer::contacts> = one.contacts, field<&Customer::points> = one.points,
                                                 field<&Customer::by_channel> = one.by_channel,
                                                 field<&Customer::visits> = one.visits);
}

}  // namespace customer_test
