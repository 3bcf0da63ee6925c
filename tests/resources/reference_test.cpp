// The page that is made from a program's own descriptions.

#include "ticket.hpp"

#include <herald/reference.hpp>

using namespace ticket_test;

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
