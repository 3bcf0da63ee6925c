#pragma once
// A live view: tickets that are not closed, kept in memory and up to date by the store's events.

#include "help_desk.hpp"

#include <map>
#include <semaphore>

using ticket_event = herald::event<tickets>;

/// Asks a view what it shows. The answer comes once it has been told of the event at this offset: who has just written sees
/// what he wrote.
struct show {
  using reply = std::string;
  herald::offset at_least;
};

/// Every life begins with rows and the offset they belong to, and goes on with the events behind it: nothing is missed in
/// between, and nothing is seen twice, however often it is killed.
class view : public herald::process<view, ticket_event, show> {
 public:
  struct args {
    herald::store store;
    std::optional<std::int64_t> representative;  // whose tickets; none: everybody's
    std::counting_semaphore<>* began;
  };

  view(herald::context& self, args a) : a_{a}, life_{self.incarnation()} {
    const auto snapshot = a_.store.all<tickets>(field<&Ticket::status> != "closed").value();
    for (const Ticket& one : snapshot.rows) take(one);
    told_ = snapshot.at;
    const auto behind = herald::after(snapshot.at);
    const auto follows = a_.representative
        ? herald::subscribe<ticket_event>(self, a_.store, "ticket:of:" + std::to_string(*a_.representative), behind)
        : herald::subscribe<ticket_event>(self, a_.store, behind);
    if (!follows) self.fail(follows.error().to_string());
    a_.began->release();
  }

  void on(const ticket_event& e) {
    take(e.row());
    told_ = e.offset();
    std::erase_if(waiting_, [this](const auto& one) { return answer(one.first, one.second); });
  }
  void on(const show& what, herald::reply_to<std::string> to) {
    if (!answer(what, to)) waiting_.emplace_back(what, std::move(to));
  }

 private:
  void take(const Ticket& ticket) {
    const bool mine = !a_.representative || ticket.representative_id == a_.representative;
    if (mine && ticket.status != "closed") {
      shown_[ticket.id] = ticket;
    } else {
      shown_.erase(ticket.id);
    }
  }
  bool answer(const show& what, const herald::reply_to<std::string>& to) const {
    if (told_ < what.at_least) return false;
    std::string text = "life " + std::to_string(life_) + ":" + (shown_.empty() ? " nothing" : "");
    for (const auto& [id, ticket] : shown_)
      text += " #" + std::to_string(id) + " " + ticket.subject + " (" + ticket.status + ")";
    to.reply(std::move(text));
    return true;
  }

  args a_;
  std::uint32_t life_;
  herald::offset told_;
  std::map<std::int64_t, Ticket> shown_;
  std::vector<std::pair<show, herald::reply_to<std::string>>> waiting_;
};
