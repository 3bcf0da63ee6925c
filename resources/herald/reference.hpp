#pragma once
// The problem: the people who call a program's resources (a gateway's users, another team) need a page that says which
// attributes, actions and topics there are, and a page written by hand is wrong after a month. This one is made from the tables
// that the program itself runs on.
//
//   std::ofstream{"resources.md"} << herald::reference_page(store.tables());
//
// Everything in it can be had at run time from resource_table as well: attributes, actions, arguments, identities, publications.
//
// Thread safety: functions without state. Errors: none. The idea: Ash's generated DSL references.

#include <herald/resource_table.hpp>

#include <span>
#include <string>

namespace herald {

/// Markdown: a section for each resource, with its attributes and their rules (to whom it belongs, how it is stored), identities, who is
/// asked, actions with their inputs and arguments, and topics.
[[nodiscard]] std::string reference_page(std::span<const resource_table* const> tables);
/// One resource's section.
[[nodiscard]] std::string reference_of(const resource_table& resource);
/// A publication's topic as a template: "ticket:assigned:<representative_id>"; alternatives in brackets: "[<team_id>|tenant]".
[[nodiscard]] std::string topic_template(const resource_table& resource, const detail::publication_info& publication);

}  // namespace herald
