// The help desk of Ash's documentation, over two days: representatives and tickets, live views, and a mailer that dies on Monday
// and catches up on Tuesday.
//
//   tickets               in a folder of its own, and ends
//   tickets --file DB     keeps what happens; once more goes on from there

#include "day.hpp"

#include <cstdlib>
#include <filesystem>

namespace {

namespace fs = std::filesystem;
std::string number(std::int64_t id) { return "#" + std::to_string(id); }

std::int64_t hire(day& desk, const char* name, const char* email) {
  const auto hired =
      desk.store.perform<representatives, "hire">(field<&Representative::name> = name, field<&Representative::email> = email);
  desk.tell(std::string{"hire "} + name, hired);
  return hired.value().row.id;
}
std::optional<std::int64_t> open_ticket(day& desk, const std::string& subject) {
  const auto opened = desk.store.perform<tickets, "open">(field<&Ticket::subject> = subject);
  desk.tell("open \"" + subject + "\"", opened);
  return opened ? std::optional{opened->row.id} : std::nullopt;
}
void assign(day& desk, std::int64_t ticket, std::int64_t to) {
  desk.tell("assign " + number(ticket), desk.store.perform<tickets, "assign">(ticket, field<&Ticket::representative_id> = to));
}
void close(day& desk, std::int64_t ticket, const char* helped) {
  desk.tell("close " + number(ticket), desk.store.perform<tickets, "close">(ticket, field<&Closing::what_helped> = helped));
}

void monday(const std::string& file) {
  day desk{file};
  std::printf("Monday\n");
  // No process is needed to run an action. Hiring goes by the e-mail: who is there already stays who they are.
  const auto ada = hire(desk, "Ada", "ada@desk.example");
  const auto joe = hire(desk, "Joe", "joe@desk.example");
  hire(desk, "Ada", "ada@desk.example");

  desk.begin();
  desk.start_mailer();
  const auto printer = open_ticket(desk, "printer on fire").value();
  const auto coffee = open_ticket(desk, "no coffee").value();
  const auto door = open_ticket(desk, "door squeaks").value();
  assign(desk, printer, ada);
  assign(desk, coffee, ada);
  // A validation, a hook, the state machine and a relation say no: as values, and nothing has happened.
  open_ticket(desk, "");
  assign(desk, door, ada);
  close(desk, door, "oil");
  assign(desk, door, ada + joe);
  desk.look("board", desk.last);
  desk.look("Ada", desk.last);

  // A view that dies is started again by its supervisor, and begins from a snapshot.
  desk.app->kill("views/Ada").value();
  desk.view_began.acquire();
  desk.look("Ada", desk.last);

  // The mailer stays dead, and nobody waits for it.
  desk.wait_for_letters();
  desk.app->kill("mailer").value();
  desk.mailer_ended.acquire();
  std::printf("the mailer is dead, after letter %d\n", static_cast<int>(desk.store.count<letters>().value()));
  close(desk, printer, "water");
  open_ticket(desk, "wet printer");
  desk.look("board", desk.last);
}

void tuesday(const std::string& file) {
  day desk{file};
  std::printf("Tuesday\n");
  desk.begin();
  // Ada leaves. Her tickets are given back first, and her view hears of it: previous_values.
  const auto ada = desk.store.select<representatives>(field<&Representative::name> == "Ada").value().front();
  desk.tell("Ada leaves", desk.store.perform<representatives, "leave">(ada.id));
  const auto hers = desk.store.read(desk.store.beginning(), 1000, "ticket:of:" + std::to_string(ada.id)).value();
  desk.look("Ada", hers.events.back()->at);
  open_ticket(desk, "no tea either");
  desk.look("board", desk.last);

  // The mailer was away while a program ended and another one began. Its cursor is in the store.
  const auto left_off = herald::consumers_of(desk.store).value().front().at;
  std::printf("the mailer owes %d letters\n", static_cast<int>(letters_wanted(desk.store, left_off).size()));
  desk.start_mailer();
  desk.wait_for_letters();
  std::vector<std::int64_t> told;
  for (const auto& one : desk.store.select<letters>().value()) {
    told.push_back(one.event);
    std::printf("  letter %d, ticket %s: %s\n", static_cast<int>(one.id), number(one.ticket_id).c_str(), one.text.c_str());
  }
  const bool each_once = told == letters_wanted(desk.store, desk.store.beginning());
  std::printf("%s\n", each_once ? "each event that wants a letter has one, in order" : "letters are missing, or too many");
}

}  // namespace

int main(int argc, char** argv) {
  const bool keeps = argc == 3 && std::string_view{argv[1]} == "--file";
  if (argc != 1 && !keeps) return std::fprintf(stderr, "usage: tickets [--file DB]\n"), 2;
  auto own = (fs::temp_directory_path() / "herald-tickets-XXXXXX").string();
  const std::string file = keeps ? argv[2] : fs::path{::mkdtemp(own.data())} / "desk.db";
  monday(file);
  tuesday(file);
  // The file proves it: every row is what its events say.
  const auto proven = herald::verify(file, described).value();
  std::printf("%d rows and %d events %s\n", static_cast<int>(proven.rows), static_cast<int>(proven.events),
              proven.holds() ? "agree" : "do not agree");
  if (!keeps) fs::remove_all(own);
}
