// The page that is made from a program's own descriptions.

#include "ticket.hpp"

#include <herald/reference.hpp>

using namespace ticket_test;

namespace {

struct Team {
  std::int64_t id = 0;
};
inline constexpr auto teams = herald::resource<Team>("teams", attribute<&Team::id>(primary_key));

struct Member {
  std::int64_t id = 0;
  std::int64_t team = 0;
  std::optional<std::int64_t> chief;
  std::string company, mail, nick;
};
struct Leaving {
  std::string reason = "moved";
  std::int64_t weeks = 4;
  std::string pin;
  bool silent = false;
};
inline constexpr auto members = herald::resource<Member>("members",
  attribute<&Member::id>(primary_key),
  attribute<&Member::team>(belongs_to<teams>),
  attribute<&Member::chief>(belongs_to_itself, on_destroy{"leave"}),
  attribute<&Member::company>(tenant),
  attribute<&Member::mail>(column{"e_mail"}, was{"address"}, default_from{[] { return std::string{"none"}; }}),
  attribute<&Member::nick>(),
  identity<&Member::mail>("mail", across_tenants),
  identity<&Member::nick>("nick"),
  authorise{[](const herald::actor&, const auto&) { return true; }},
  authorise_reads{[](const herald::actor&) -> herald::condition { return {}; }},
  authorise_subscription{[](const herald::actor&, std::string_view) { return true; }},
  create("join", accepts<&Member::mail>),
  destroy("leave", argument<&Leaving::reason>(max_length{20}, one_of{"moved", "retired"}), argument<&Leaving::weeks>(min{1}, default_value{2}),
    argument<&Leaving::pin>(required, sensitive), argument<&Leaving::silent>(private_argument),
    authorise{[](const herald::actor&, const auto&) { return true; }}));

}  // namespace

TEST_CASE("the page says to whom rows belong, how they are stored, who is asked, and what arguments must be") {
  CHECK(herald::reference_of(herald::table_of<members>) == R"(## members

| attribute | type | rules |
| --- | --- | --- |
| `id` | integer | primary key |
| `team` | integer | belongs to teams, keeps that from being destroyed |
| `chief` | integer or null | belongs to members, leave when that is destroyed |
| `company` | text | tenant |
| `mail` | text | default computed, stored as e_mail, formerly stored as address |
| `nick` | text |  |

Identity `mail`: mail together are unique, across tenants.

Identity `nick`: company, nick together are unique.

Not everybody may: run an action, read rows, subscribe to a topic.

### Actions

| action | kind | inputs |
| --- | --- | --- |
| `join` | create | mail |
| `leave` | destroy, authorised | reason (argument, text, at most 20 long, one of "moved", "retired", default "moved"), )"
        R"(weeks (argument, integer, at least 1, default 2), pin (argument, text, required, sensitive), )"
        R"(silent (argument, boolean, private, default false) |
)");
}

TEST_CASE("a resource's page names its attributes with their rules, its actions with their inputs, and its topics") {
  const std::vector<const herald::resource_table*> all{&herald::table_of<tickets>};
  CHECK(herald::reference_page(all) == R"(# Resources

## tickets

| attribute | type | rules |
| --- | --- | --- |
| `id` | uuid | primary key, generated (uuid v7) |
| `subject` | text | at most 20 long |
| `status` | text | one of "open", "assigned", "closed" |
| `representative_id` | uuid or null |  |
| `team_id` | integer or null |  |
| `version` | integer | lock version |

### Actions

| action | kind | inputs |
| --- | --- | --- |
| `open` | create | subject, team_id |
| `rename` | update | subject, team_id |
| `assign` | update | representative_id |
| `close` | update | none |
| `destroy` | destroy | none |

### Topics

| topic | of | event | notes |
| --- | --- | --- | --- |
| `ticket:created` | open | the action's name |  |
| `ticket:assigned:<representative_id>` | assign | reassigned | former values too |
| `ticket:[<team_id>\|<tenant>]:updated:[<id>\|nothing]` | every update | the action's name |  |
| `ticket:destroyed:<id>` | every destroy | the action's name |  |
)");
}
