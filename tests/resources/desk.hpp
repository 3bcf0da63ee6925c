#pragma once
// A help desk that uses the whole language of actions: arguments, hooks, upserts, tenants, states, soft destroys.

#include "ticket.hpp"

namespace desk_test {

using namespace herald::dsl;
using herald::action_options;
using herald::actor;
using herald::event_kind;
using herald::named_value;
using herald::op;
using herald::request_for;
using herald::resource_errc;
using herald::table_of;
using herald::value;
using ticket_test::row;
using ticket_test::scratch;
using ticket_test::topics_of;

/// What hooks outside a test's sight did, in their order; each test clears it first.
inline std::vector<std::string> trail;  // NOLINT: lambdas without captures have nowhere else to write

struct user {
  bool admin = false;
};

struct Closing {
  std::string reason;
  std::optional<std::int64_t> stars;
  std::int64_t hours = 8;
  std::string ticket_of_caller;
};

struct Case {
  std::int64_t id = 0;
  std::string subject;
  std::string state = "open";
  std::string note;
  std::int64_t views = 0;
  std::int8_t small = 0;
};

inline constexpr auto cases = herald::resource<Case>("cases",
  attribute<&Case::id>(primary_key, generated),
  attribute<&Case::subject>(required),
  attribute<&Case::state>(initial("open", "draft"),
    transitions(from("draft", "open"), from("open", "assigned", "closed"), from("assigned", "closed"))),
  attribute<&Case::note>(),
  attribute<&Case::views>(),
  attribute<&Case::small>(),
  create("open", accepts<&Case::subject, &Case::state>),
  update("move", accepts<&Case::state>),
  update("look", accepts<>, change{[](auto& c) { c.increment(field<&Case::views>, 4, herald::overflow_limit{10}); }}),
  update("fill", accepts<>, change{[](auto& c) { c.increment(field<&Case::small>, 100); }}),
  update("close", accepts<>,
    argument<&Closing::reason>(required, max_length{10}),
    argument<&Closing::stars>(min{1}, max{5}),
    argument<&Closing::hours>(),
    argument<&Closing::ticket_of_caller>(private_argument),
    change{[](auto& c) {
      c.set(field<&Case::state>, "closed");
      c.set(field<&Case::note>, c.argument(field<&Closing::reason>) + "/" + std::to_string(c.argument(field<&Closing::hours>)) + "/" +
            std::to_string(c.argument(field<&Closing::stars>).value_or(0)) + "/" + c.argument(field<&Closing::ticket_of_caller>));
    }},
    change{[](auto& c) { c.set(field<&Case::note>, c.row().note + "!"); },
           where{[](const auto& c) { return c.argument_given(field<&Closing::stars>); }}}),
  update("hooked", accepts<&Case::subject, &Case::note>,
    change{[](auto&) { trail.push_back("change"); }},
    validate{[](const Case& c) { trail.push_back("validate"); return c.subject != "invalid"; }},
    before_action{[](auto& c) {
      trail.push_back("before");
      c.put_metadata("seen_by", c.action());
      if (c.row().subject == "marked") c.add_error(field<&Case::subject>, "is marked");
      if (c.row().subject == "undone") c.set(field<&Case::subject>, "");
      if (c.row().subject == "throws") throw std::runtime_error{"hook"};
    }},
    after_action{[](herald::transaction&, const Case& c) -> herald::result<void> {
      trail.push_back("after");
      if (c.subject == "fails") return herald::error{resource_errc::invalid, "after all"};
      return {};
    }},
    after_action{[](auto& c) { trail.push_back("after if " + c.before()->subject); },
                 where{[](const auto& c) { return c.changing(field<&Case::note>); }}},
    after_commit{[](const Case& c) { trail.push_back("committed " + c.subject); }},
    after_transaction{[](const herald::result<Case>& outcome) { trail.push_back(outcome ? "done" : "failed"); }}),
  update("forgiving", accepts<&Case::subject>,
    validate{[](const Case& c) { return c.subject != "invalid"; }},
    after_transaction{[](const herald::result<Case>& outcome) -> herald::result<Case> {
      if (outcome) return herald::error{resource_errc::invalid, "must not undo a commit"};
      Case made;
      made.subject = "forgiven";
      return made;
    }}),
  update("noisy", accepts<&Case::subject>, after_commit{[](const Case&) { throw std::runtime_error{"no mail today"}; }}),
  update("reopen", accepts<>, authorise{[](const actor& who, const auto& c) -> const char* {
           const auto* as_user = who.as<user>();
           if (as_user == nullptr || !as_user->admin) return "only admins reopen";
           return c.row().state == "closed" || c.row().state == "open" ? nullptr : "not in this state";
         }},
         change{[](auto& c) { c.set(field<&Case::note>, "by " + c.by().name()); }},
         after_transaction{[](const herald::result<Case>& outcome) { trail.push_back(outcome ? "done" : "failed"); }}),
  destroy("archive", soft, change{[](auto& c) { c.set(field<&Case::note>, "archived"); }}),
  destroy("drop"),
  pub_sub("case", publish_all(op::update, topic("updated")), publish_all(op::destroy, topic("gone", pkey))));

struct Member {
  herald::uuid id;
  std::string org;
  std::string email;
  std::optional<std::string> badge;
  std::optional<std::string> nick;
  std::string name;
  std::int64_t logins = 0;
  std::int64_t version = 0;
  herald::timestamp joined{}, seen{};
};

inline constexpr auto members = herald::resource<Member>("members",
  attribute<&Member::id>(primary_key, uuid_v7),
  attribute<&Member::org>(tenant),
  attribute<&Member::email>(),
  attribute<&Member::badge>(),
  attribute<&Member::nick>(),
  attribute<&Member::name>(max_length{8}),
  attribute<&Member::logins>(),
  attribute<&Member::version>(optimistic_lock),
  attribute<&Member::joined>(inserted_at),
  attribute<&Member::seen>(updated_at),
  identity<&Member::email>("email"),
  identity<&Member::badge>("badge", across_tenants),
  identity<&Member::nick>("nick", nils_not_distinct),
  create("join", accepts<&Member::id, &Member::email, &Member::badge, &Member::nick, &Member::name, &Member::logins>),
  create("sync", accepts<&Member::email, &Member::nick, &Member::name, &Member::logins>, upsert("email")),
  create("sync_all", accepts<&Member::email, &Member::nick, &Member::name, &Member::logins>, upsert("email", replace_all)),
  create("sync_name", accepts<&Member::email, &Member::nick, &Member::name, &Member::logins>, upsert("email", replace<&Member::name>)),
  create("sync_but_name", accepts<&Member::email, &Member::nick, &Member::name, &Member::logins>,
    upsert("email", replace_all_except<&Member::name>)),
  create("sync_up", accepts<&Member::email, &Member::nick, &Member::logins>, upsert("email"),
    upsert_where{[](const Member& there, const Member& made) { return made.logins > there.logins; }}),
  create("by_id", accepts<&Member::id, &Member::nick, &Member::name>, upsert(pkey)),
  update("rename", accepts<&Member::name, &Member::nick>),
  destroy("leave"),
  pub_sub("member", publish("sync", topic("synced")), publish_all(op::create, topic("new")),
    publish_all(op::update, topic(tenant, "changed"))),
  authorise_subscription{[](const actor& who, std::string_view topic) {
    return who.as<user>() != nullptr && topic.starts_with("member:" + who.name() + ":");
  }});

inline std::string message_of(const herald::error& why, std::string_view field) {
  for (const auto& one : why.fields()) {
    if (one.field == field) return one.message;
  }
  return "(nothing about " + std::string{field} + ")";
}

inline Case opened(scratch& store, std::string subject = "printer") {
  return row<cases>(store(request_for<cases, "open">(field<&Case::subject> = std::move(subject))));
}

}  // namespace desk_test
