#pragma once
// What the help desk keeps: who works there, the tickets, and the letters that customers get.

#include <herald/herald.hpp>

struct Representative {
  std::int64_t id = 0;
  std::string email, name;
};
struct Ticket {
  std::int64_t id = 0;
  std::string subject, status = "open";
  std::optional<std::int64_t> representative_id;
  std::string solution;
};
struct Closing {  // the argument of "close"
  std::string what_helped;
};
struct Letter {
  std::int64_t id = 0;
  std::int64_t ticket_id = 0;
  std::int64_t event = 0;  // the sequence of the event that it tells of
  std::string text;
};

/// Whether the ticket's representative can take it. Asked by "assign", inside its transaction; it reads the tickets that are
/// described below.
herald::check has_time(herald::transaction& tx, const Ticket& ticket);

using namespace herald::dsl;
inline constexpr auto representatives = herald::resource<Representative>("representatives",
    attribute<&Representative::id>(primary_key, generated),
    attribute<&Representative::email>(required),
    attribute<&Representative::name>(required),
    identity<&Representative::email>("email"),
    create("hire", accepts<&Representative::email, &Representative::name>, upsert("email", replace<&Representative::name>)),
    destroy("leave"));

inline constexpr auto tickets = herald::resource<Ticket>("tickets",
    attribute<&Ticket::id>(primary_key, generated),
    attribute<&Ticket::subject>(required, max_length{80}),
    attribute<&Ticket::status>(initial("open"), transitions(from("open", "assigned"), from("assigned", "open", "closed"))),
    // Who leaves gives tickets back first, each by an action with an event of its own.
    attribute<&Ticket::representative_id>(belongs_to<representatives>, on_destroy{"give_back"}),
    attribute<&Ticket::solution>(),
    create("open", accepts<&Ticket::subject>, validate{[](const Ticket& t) { return present<&Ticket::subject>(t); }}),
    update("assign", accepts<&Ticket::representative_id>, require<&Ticket::representative_id>,
           change{[](auto& ticket) { ticket.set(field<&Ticket::status>, "assigned"); }},
           before_action{[](auto& ticket) {
             if (const auto free = has_time(ticket.tx(), ticket.row()); !free)
               ticket.add_error(field<&Ticket::representative_id>, free.message);
           }}),
    update("give_back",
           change{[](auto& ticket) { ticket.set(field<&Ticket::representative_id>, std::nullopt); }},
           change{[](auto& ticket) { ticket.set(field<&Ticket::status>, "open"); },
                  where{[](const Ticket& t) { return t.status == "assigned"; }}}),
    update("close", argument<&Closing::what_helped>(required, max_length{200}), change{[](auto& ticket) {
             ticket.set(field<&Ticket::status>, "closed");
             ticket.set(field<&Ticket::solution>, ticket.argument(field<&Closing::what_helped>));
           }}),
    pub_sub("ticket",
      publish("open", topic("created")),
      publish("close", topic("closed")),
      // Also to who had it before: otherwise nobody would tell them that it is gone.
      publish_all(herald::op::update, topic("of", field<&Ticket::representative_id>), previous_values)));

inline constexpr auto letters = herald::resource<Letter>("letters",
    attribute<&Letter::id>(primary_key, generated),
    attribute<&Letter::ticket_id>(belongs_to<tickets>),
    attribute<&Letter::event>(),
    attribute<&Letter::text>(),
    create("write", accepts<&Letter::ticket_id, &Letter::event, &Letter::text>),
    pub_sub("letter", publish("write", topic("written"))));

/// On the writer nothing comes between this look and the row that it allows.
inline herald::check has_time(herald::transaction& tx, const Ticket& ticket) {
  const auto others = herald::select<tickets>(tx, field<&Ticket::representative_id> == ticket.representative_id,
                                              field<&Ticket::status> == "assigned", field<&Ticket::id> != ticket.id);
  return !others || others->size() < 2 ? herald::check{true} : fails<&Ticket::representative_id>("has two tickets already");
}
