#pragma once
// Writes a letter for each ticket that is opened or closed: one for each such event, whoever dies when.

#include "view.hpp"

/// Its cursor is in the store, and moves in the transaction that writes the letter. So there is no moment at which a kill could
/// lose a letter or double it, and when the mailer is away, the log waits.
class mailer : public herald::process<mailer, ticket_event> {
 public:
  struct args {
    herald::store store;
    std::counting_semaphore<>* ended;
  };

  mailer(herald::context& self, args a)
      : a_{a}, post_{herald::subscribe<ticket_event>(self, a_.store, herald::effectively_once("mailer")).value()} {}
  ~mailer() { a_.ended->release(); }

  void on(const ticket_event& e) {
    if (e.action() == "open") write(e, "we look into it: " + e.after->subject);
    if (e.action() == "close") write(e, "it is done: " + e.after->solution);
  }

 private:
  void write(const ticket_event& e, std::string text) {
    post_.run<letters, "write">(field<&Letter::ticket_id> = e.after->id, field<&Letter::text> = std::move(text),
                                field<&Letter::event> = static_cast<std::int64_t>(e.offset().sequence));
  }

  args a_;
  herald::consumer post_;
};

/// The events that want a letter, by their sequence, after an offset.
inline std::vector<std::int64_t> letters_wanted(const herald::store& store, herald::offset from) {
  std::vector<std::int64_t> wanted;
  while (true) {
    const auto stretch = store.read(from, 100).value();
    for (const auto& event : stretch.events) {
      const bool of_tickets = event->resource == &herald::table_of<tickets>;
      const auto action = event->action_info().name;
      if (of_tickets && (action == "open" || action == "close")) wanted.push_back(static_cast<std::int64_t>(event->at.sequence));
    }
    if (stretch.events.empty()) return wanted;
    from = stretch.last;
  }
}
