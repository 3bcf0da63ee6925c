// Values that are more than one: enumerations by name, lists, maps and structs inside a row, in everything that handles rows.

#include "customer.hpp"
#include "temporary_directory.hpp"

#include <herald/detail/sqlite_storage.hpp>
#include <herald/detail/store_state.hpp>
#include <herald/json.hpp>
#include <herald/payload.hpp>
#include <herald/reference.hpp>
#include <herald/store.hpp>
#include <herald/verify.hpp>

#include <doctest/doctest.h>

using namespace customer_test;
using herald::resource_errc;
using herald::value;

namespace {

const herald::resource_table& table = herald::table_of<customers>;

struct in_memory {
  herald::store store = herald::store::open({&table}, herald::memory_options{}).value();
};
struct on_sqlite {
  herald::test::temporary_directory directory;
  herald::store store = herald::store::open({&table}, herald::sqlite_options{.file = directory.file("customers.db")}).value();
};

bool same_but_secrets(const Customer& left, const Customer& right) {
  return herald::to_json(herald::record{table, std::make_shared<const Customer>(left)}) ==
         herald::to_json(herald::record{table, std::make_shared<const Customer>(right)});
}

std::string error_of(const herald::error& why) {
  std::string all;
  for (const auto& one : why.fields()) all += one.field + " " + one.message + "; ";
  return all;
}

}  // namespace

TEST_CASE_TEMPLATE("R60: enumerations, lists, maps and structs inside a row come back from a store as they went in", Store, in_memory,
                   on_sqlite) {
  Store at;
  const Customer given = sample();
  const auto entered = at.store.perform(entering(given));
  REQUIRE_MESSAGE(entered.has_value(), entered.error().to_string());
  const auto back = at.store.template get<customers>(entered->after.template as<Customer>()->id);
  REQUIRE(back.has_value());
  CHECK(back->prefers == channel::phone);
  CHECK(back->home.door_code == "1234");
  CHECK(back->home.note == "ring twice");
  REQUIRE(back->contacts.size() == 1);
  CHECK(back->contacts[0].by == channel::phone);
  CHECK(back->contacts[0].where.door_code == "9876");
  CHECK(back->contacts[0].hours == std::vector<std::int64_t>{9, 17});
  CHECK(back->points == given.points);
  CHECK(back->by_channel.at(channel::mail).street == "Box 7");
  CHECK(back->visits == given.visits);
  CHECK(back->summer->street == "Dyke");  // default_from
  // The same home again changes nothing; another door code does.
  const auto again = at.store.perform(herald::request_for<customers, "move">(back->id, field<&Customer::home> = back->home));
  REQUIRE(again);
  CHECK(again->kind == herald::event_kind::unchanged);
  Address home = back->home;
  home.door_code = "4321";
  const auto moved = at.store.perform(herald::request_for<customers, "move">(back->id, field<&Customer::home> = home));
  REQUIRE(moved);
  CHECK(moved->kind == herald::event_kind::updated);
  CHECK(at.store.template get<customers>(back->id)->home.door_code == "4321");
  CHECK(herald::detail::verify(at.store.state()->data()).value().holds());
}

TEST_CASE_TEMPLATE("R61: an event has nothing of a sensitive field inside a struct, a list or a map", Store, in_memory, on_sqlite) {
  Store at;
  REQUIRE(at.store.perform(entering(sample())));
  const auto stretch = at.store.read(at.store.beginning(), 10);
  REQUIRE(stretch);
  REQUIRE(stretch->events.size() == 1);
  const Customer& told = *stretch->events[0]->after.template as<Customer>();
  CHECK(told.home.street == "Veldstraat 1");
  CHECK(told.home.door_code.empty());
  CHECK(told.contacts.at(0).where.door_code.empty());
  CHECK(told.by_channel.at(channel::mail).door_code.empty());
  CHECK(told.summer->door_code.empty());
  const std::string json = herald::to_json(*stretch->events[0]);
  CHECK(json.find("door_code") == std::string::npos);
  std::string payload;
  herald::encode_payload(*stretch->events[0], payload);
  CHECK(payload.find("street") != std::string::npos);
  CHECK(payload.find("door_code") == std::string::npos);
}

TEST_CASE_TEMPLATE("R62: what stands inside is checked as attributes are, and the error says where", Store, in_memory, on_sqlite) {
  Store at;
  const auto refused = [&](auto spoil) {
    Customer one = sample();
    spoil(one);
    const auto entered = at.store.perform(entering(one));
    return entered ? std::string{"it was taken"} : error_of(entered.error());
  };
  CHECK(refused([](Customer& c) { c.home.street = std::string(21, 'x'); }) ==
        "home street: must have at most 20 characters, got 21; ");
  CHECK(refused([](Customer& c) { c.contacts[0].where.town = "Rome"; }) ==
        "contacts part 0: where: town: must be one of \"Ghent\", \"Bruges\", got \"Rome\"; ");
  CHECK(refused([](Customer& c) { c.by_channel[channel::phone].town = "Rome"; }) ==
        "by_channel \"phone\": town: must be one of \"Ghent\", \"Bruges\", got \"Rome\"; ");
  CHECK(refused([](Customer& c) { c.points = {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}}; }) == "points must have at most 3 parts, got 4; ");
  CHECK(refused([](Customer& c) { c.contacts.resize(3, c.contacts[0]); }) == "contacts must have at most 2 parts, got 3; ");
  CHECK(refused([](Customer& c) { c.contacts[0].by = static_cast<channel>(4); }) ==
        "contacts part 0: by: holds a value without a name; wanted is one of mail, phone; ");
  CHECK(refused([](Customer& c) { c.prefers = static_cast<channel>(200); }) ==
        "prefers holds a value without a name; wanted is one of mail, phone; ");
}

TEST_CASE_TEMPLATE("R63: an enumeration has a topic, transitions, filters and a column by its name", Store, in_memory, on_sqlite) {
  Store at;
  const std::int64_t id = at.store.perform(entering(sample()))->after.template as<Customer>()->id;
  const auto judged = at.store.perform(herald::request_for<customers, "judge">(id, field<&Customer::standing> = standing::trusted));
  REQUIRE(judged);
  std::vector<std::string> topics;
  for (const auto& route : judged->event->routes) topics.push_back(route.topic);
  CHECK(topics == std::vector<std::string>{"customer:is:fresh", "customer:is:trusted"});
  const auto back = at.store.perform(herald::request_for<customers, "judge">(id, field<&Customer::standing> = standing::fresh));
  REQUIRE(back.is(resource_errc::invalid));
  CHECK(error_of(back.error()) == "standing cannot go from \"trusted\" to \"fresh\"; from there it goes to \"barred\"; ");
  CHECK(at.store.template select<customers>(field<&Customer::standing> == standing::trusted)->size() == 1);
  CHECK(at.store.template select<customers>(in(field<&Customer::standing>, standing::fresh, standing::barred))->empty());
  CHECK(at.store.template count<customers>(field<&Customer::prefers> != std::nullopt).value() == 1);
  // A name that is none is refused in a filter by name too, instead of finding nothing.
  const auto odd = at.store.template select<customers>(
      herald::condition::compare("standing", herald::comparison::equal, value{"trusty"}));
  CHECK(odd.is(resource_errc::invalid));
}

TEST_CASE("R64: an enumeration is text in the file, and what is more than one value a payload value") {
  on_sqlite at;
  REQUIRE(at.store.perform(entering(sample())));
  auto& db = static_cast<herald::detail::sqlite_storage&>(at.store.state()->data()).writer_connection();
  CHECK(db.text_of("SELECT standing || ' ' || prefers FROM customers", "look").value() == "fresh phone");
  CHECK(db.text_of("SELECT typeof(home) || ' ' || typeof(points) || ' ' || typeof(contacts) FROM customers", "look").value() ==
        "blob blob blob");
}

TEST_CASE("R65: JSON both ways: enumerations by name, structs and maps as objects, sensitive fields neither out nor in") {
  const herald::record row{table, std::make_shared<const Customer>(sample())};
  const std::string text = herald::to_json(row);
  CHECK(text ==
        R"({"id":0,"standing":"fresh","prefers":"phone","home":{"street":"Veldstraat 1","town":"Ghent","note":"ring twice"},)"
        R"("contacts":[{"by":"phone","at":"+32","where":{"street":"Dok","town":"Bruges","note":null},"hours":[9,17]}],)"
        R"("points":{"coffee":3,"tea":-1},"by_channel":{"mail":{"street":"Box 7","town":"Ghent","note":null}},)"
        R"("visits":["2023-11-14T22:13:20.000000Z"],"summer":null})");
  const auto back = herald::row_from_json(table, text);
  REQUIRE_MESSAGE(back.has_value(), back.error().to_string());
  CHECK(same_but_secrets(*back->as<Customer>(), sample()));
  CHECK(back->as<Customer>()->home.door_code.empty());

  const auto wrong = [](std::string_view json) {
    const auto read = herald::row_from_json(table, json);
    return read ? std::string{"it was taken"} : error_of(read.error());
  };
  CHECK(wrong(R"({"home":{"street":"x","door_code":"1"}})") == "home has no field \"door_code\"; ");
  CHECK(wrong(R"({"home":{"sreet":"x"}})") == "home has no field \"sreet\"; ");
  CHECK(wrong(R"({"contacts":[{"where":{"town":7}}]})") == "contacts part 0: where: town: must be of type text, got integer 7; ");
  CHECK(wrong(R"({"standing":"good"})") == "standing must be one of fresh, trusted, barred, got text \"good\"; ");
  CHECK(wrong(R"({"by_channel":{"fax":{}}})").starts_with("by_channel "));
  CHECK(wrong(R"({"points":{"tea":"many"}})") == "points \"tea\": must be of type integer, got text \"many\"; ");
  CHECK(wrong(R"({"visits":["yesterday"]})").starts_with("visits part 0: must be of type time"));
}

TEST_CASE("R66: an action by name takes nested inputs as JSON says them, and names what is wrong inside") {
  in_memory at;
  const auto inputs = herald::inputs_from_json(table, "enter", R"({"home":{"street":"Kaai","town":"Ghent","door_code":"77"},"points":{"tea":1}})");
  REQUIRE(inputs);
  const auto entered = at.store.run("customers", "enter", *inputs);
  REQUIRE_MESSAGE(entered.has_value(), entered.error().to_string());
  CHECK(entered->as<Customer>()->home.door_code == "77");  // an input may be secret; a row as JSON has none
  CHECK(entered->as<Customer>()->points.at("tea") == 1);
  const auto odd = at.store.run("customers", "enter", herald::inputs_from_json(table, "enter", R"({"home":{"door_code":7}})").value());
  REQUIRE(odd.is(resource_errc::invalid));
  CHECK(error_of(odd.error()) == "home door_code: has the wrong type; ");  // without the value
}

namespace {

// The same in a later program: a field is renamed, one is gone, one is new.
struct LaterAddress {
  std::string road, town, country = "Belgium";
};
struct LaterCustomer {
  std::int64_t id = 0;
  LaterAddress home;
  std::map<std::string, double> points;
};

}  // namespace

template <>
inline constexpr auto herald::described<LaterAddress> = herald::structure<LaterAddress>("address",
    attribute<&LaterAddress::road>(was{"street"}), attribute<&LaterAddress::town>(), attribute<&LaterAddress::country>());

namespace {

inline constexpr auto later = herald::resource<LaterCustomer>("customers", attribute<&LaterCustomer::id>(primary_key, generated),
  attribute<&LaterCustomer::home>(), attribute<&LaterCustomer::points>());

}  // namespace

TEST_CASE("R67: a payload is read by a later program whose structs have lost, gained and renamed fields") {
  in_memory at;
  const auto outcome = at.store.perform(entering(sample()));
  REQUIRE(outcome);
  std::string payload, layout;
  herald::encode_payload(*outcome->event, payload);
  herald::encode_layout(table, layout);
  herald::layout_book book;
  REQUIRE(book.add(table.layout, herald::table_of<later>, layout));
  herald::event_record event;
  event.resource = &herald::table_of<later>;
  REQUIRE(book.decode(payload, event));
  const auto& row = *event.after.as<LaterCustomer>();
  CHECK(row.home.road == "Veldstraat 1");
  CHECK(row.home.town == "Ghent");
  CHECK(row.home.country == "Belgium");
  CHECK(row.points.at("coffee") == 3.0);
}

TEST_CASE("R68: a value of a struct or map is compared, hashed, copied and shown; sensitive fields are not shown") {
  const Customer one = sample();
  const herald::value_view home = herald::codec<Address>::get(one.home);
  const value copy{home};
  CHECK(copy.view() == home);
  CHECK(copy.view().hash() == home.hash());
  CHECK(home.describe() == "{street=Veldstraat 1,town=Ghent,note=ring twice}");
  CHECK(copy.view().describe() == home.describe());
  Address other = one.home;
  other.door_code = "0";
  CHECK(herald::codec<Address>::get(other) != home);
  CHECK((herald::codec<Address>::get(other) <=> home) == (std::string_view{"0"} <=> std::string_view{"1234"}));
  const value map = value::map_of({value{"a"}, value{1}, value{"b"}, value{2}});
  CHECK(map.view().size() == 2);
  CHECK(map.view().describe() == "{a=1,b=2}");
}

TEST_CASE("R69: the reference page says what an enumeration, a list, a map and a struct hold") {
  const std::string page = herald::reference_of(table);
  CHECK(page.find("| `standing` | one of fresh, trusted, barred |") != std::string::npos);
  CHECK(page.find("| `points` | map of integer |") != std::string::npos);
  CHECK(page.find("| `home` | address {street text (at most 20 long), town text (one of \"Ghent\", \"Bruges\"), door_code text "
                  "(sensitive), note text or null} |") != std::string::npos);
  CHECK(page.find("list of contact {by one of mail, phone") != std::string::npos);
}

namespace {

struct Vault {
  std::int64_t id = 0;
  Address where{.street = "x", .town = "Ghent", .door_code = {}};
  std::vector<Contact> keepers;
};

inline constexpr auto vaults = herald::resource<Vault>("vaults", attribute<&Vault::id>(primary_key),
  attribute<&Vault::where>(sensitive), attribute<&Vault::keepers>(sensitive),
  create("build", accepts<&Vault::id, &Vault::where, &Vault::keepers>));

}  // namespace

TEST_CASE("R59: what is wrong inside a sensitive attribute is told without anything of what is inside") {
  const auto store = herald::store::open({&herald::table_of<vaults>}, herald::memory_options{}).value();
  const auto told = [](const herald::error& why) { return why.to_string() + error_of(why); };
  const Address odd{.street = "hush", .town = "Rome", .door_code = {}};
  Contact keeper;
  keeper.where = odd;
  const auto typed = store.run<vaults, "build">(field<&Vault::id> = 1, field<&Vault::where> = odd);
  REQUIRE(typed.is(resource_errc::invalid));
  CHECK(error_of(typed.error()) == "where has something inside that breaks a rule; ");
  const auto keepers = store.run<vaults, "build">(field<&Vault::id> = 1, field<&Vault::keepers> = std::vector<Contact>{keeper});
  REQUIRE(keepers.is(resource_errc::invalid));
  CHECK(told(keepers.error()).find("Rome") == std::string::npos);
  const auto named = store.run("vaults", "build", {{"id", value{1}}, {"where", value::map_of({value{"hush"}, value{"hush"}})}});
  REQUIRE(named.is(resource_errc::invalid));
  CHECK(told(named.error()).find("hush") == std::string::npos);
}
