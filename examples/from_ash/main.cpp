#include <cstdio>
#include <herald/herald.hpp>

struct Representative {
  std::int64_t id = 0;
  std::string name;
};
struct Ticket {
  std::int64_t id = 0;
  std::string reference, subject, status = "open";
  std::optional<std::int64_t> representative_id;
  std::string closed_because;
};
struct Closing {  // the arguments of "close"
  std::string reason;
};

using namespace herald::dsl;
inline constexpr auto representatives = herald::resource<Representative>("representatives",
    attribute<&Representative::id>(primary_key, generated),
    attribute<&Representative::name>(required),
    create("hire", accepts<&Representative::name>),
    destroy("leave"));
inline constexpr auto tickets = herald::resource<Ticket>("tickets",
    attribute<&Ticket::id>(primary_key, generated),
    attribute<&Ticket::reference>(required),
    attribute<&Ticket::subject>(required, max_length{80}),
    attribute<&Ticket::status>(initial("open"), transitions(from("open", "assigned", "closed"), from("assigned", "closed"))),
    attribute<&Ticket::representative_id>(belongs_to<representatives>, on_destroy{"unassign"}),
    attribute<&Ticket::closed_because>(),
    identity<&Ticket::reference>("reference"),
    create("open", accepts<&Ticket::reference, &Ticket::subject>),
    create("import", accepts<&Ticket::reference, &Ticket::subject>, upsert("reference", replace<&Ticket::subject>)),
    update("assign", accepts<&Ticket::representative_id>,
           change{[](auto& ticket) { ticket.set(field<&Ticket::status>, "assigned"); }}),
    update("unassign", change{[](auto& ticket) { ticket.set(field<&Ticket::representative_id>, std::nullopt); }}),
    update("close", argument<&Closing::reason>(required, max_length{200}),
           authorise{[](const herald::actor& who, const auto&) { return who.name() == "ada"; }},
           change{[](auto& ticket) {
             ticket.set(field<&Ticket::status>, "closed");
             ticket.set(field<&Ticket::closed_because>, ticket.argument(field<&Closing::reason>));
           }}));

template <class R>
void tell(const char* what, const R& result) {
  std::printf("%s: %s\n", what, result ? "fine" : result.error().to_string().c_str());
}

int main() {
  const auto store = herald::store::open({&herald::table_of<representatives>, &herald::table_of<tickets>}, herald::memory_options{}).value();
  const herald::action_options ada{.by = herald::actor{"ada"}};

  const auto joe = store.run<representatives, "hire">(field<&Representative::name> = "Joe").value();
  const auto one = store.run<tickets, "open">(field<&Ticket::reference> = "T-1", field<&Ticket::subject> = "printer on fire").value();
  tell("same reference", store.run<tickets, "open">(field<&Ticket::reference> = "T-1", field<&Ticket::subject> = "again"));
  tell("no such representative", store.run<tickets, "assign">(one.id, field<&Ticket::representative_id> = 7));
  tell("assign", store.run<tickets, "assign">(one.id, field<&Ticket::representative_id> = joe.id));
  tell("close, but who asks?", store.run<tickets, "close">(one.id, field<&Closing::reason> = "water"));
  tell("close", store.run<tickets, "close">(one.id, field<&Closing::reason> = "water", ada));
  tell("assign a closed one", store.run<tickets, "assign">(one.id, field<&Ticket::representative_id> = joe.id));

  // Bulk: each record through the same action; an upsert says what it did.
  const std::vector<std::string> lines{"T-1", "T-2", "T-3"};
  const auto imported = store.bulk(lines, [](const std::string& line) {
    return herald::request_for<tickets, "import">(field<&Ticket::reference> = line, field<&Ticket::subject> = "imported " + line);
  });
  std::printf("imported: %d created, %d updated\n", static_cast<int>(imported.created), static_cast<int>(imported.updated));

  // Ash.Query, checked by the compiler.
  const auto open = store.select<tickets>(field<&Ticket::status> == "open" && like(field<&Ticket::subject>, "imported%"),
                                          desc(field<&Ticket::id>), limit{10});
  for (const Ticket& ticket : *open) std::printf("%s is open: %s\n", ticket.reference.c_str(), ticket.subject.c_str());

  // Who belongs to a representative that leaves is told first, by an action and an event of its own.
  const auto before = store.head();
  tell("leave", store.run<representatives, "leave">(joe.id));
  const auto told = store.read(before, 10).value();
  for (const auto& event : told.events)
    std::printf("%llu %s.%s\n", static_cast<unsigned long long>(event->at.sequence), std::string{event->resource->name}.c_str(),
                std::string{event->action_info().name}.c_str());
}
