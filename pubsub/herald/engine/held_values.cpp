// The values of a conflating subscription, handed over one by one from behind their token in the mailbox.

#include <herald/engine/admission.hpp>
#include <herald/engine/backlog.hpp>
#include <herald/engine/event_entry.hpp>
#include <herald/engine/fan_out.hpp>
#include <herald/engine/nodes.hpp>
#include <herald/engine/suspension.hpp>
#include <herald/engine/topic_table.hpp>

namespace herald::engine {

namespace {

/// The next thing to hand over: the oldest value, or before it what it stands for. False: there is nothing.
bool take_value(value_token& token, cell& to, delivery& now, const handler_entry*& handler) {
  const runtime_entry inside;
  if (inside.owned() == nullptr) return false;  // it waits again
  auto& table = topic_table::of(*to.home);
  if (!table.current(token.id, token.generation_of_id)) return false;
  auto& values = table.at(token.id).more->waiting->values;
  if (values.count() == 0) return false;
  now.table = &table;
  now.id = token.id;
  auto& first = *values.oldest();
  now.event = first.share->event;
  now.at = first.share->at;
  if (const auto* told = first.missed != 0 ? topic_table::names_gap(to) : nullptr) {
    token.message = std::make_unique<gap>(
        gap{std::string{first.share->at->topic->name()}, topic_table::key_of(now), std::exchange(first.missed, 0)});
    handler = told;
    return true;
  }
  renew_copy(*first.share->event, to, token.id, table);
  token.in_hand = values.take_oldest();
  now.missed = token.in_hand->missed;
  handler = token.in_hand->handler;
  return true;
}

void end_token(value_token& token, frame* by) noexcept {
  if (by != nullptr) {
    auto& table = topic_table::of(*by->home);
    if (table.current(token.id, token.generation_of_id)) {
      auto& waiting = *table.at(token.id).more->waiting;
      waiting.token = nullptr;
      while (waiting.values.count() != 0) end_use(*waiting.values.take_oldest()->share, by);
    }
  }
  token.~value_token();
  free_node_memory(&token, sizeof(value_token), by);
}

}  // namespace

void run_value(envelope* e, cell* to, frame& by) {
  auto& token = *static_cast<value_token*>(e);
  delivery now;
  const handler_entry* handler = nullptr;
  if (!take_value(token, *to, now, handler)) return;
  const delivery_scope scope{by, now, *to};
  handler->invoke(by.state, context_at(by.state), token.message ? token.message.get() : token.in_hand->share->event->payload);
  if (by.suspended != nullptr && !token.message) keep_event(by, now);
}

void finish_value(envelope* e, frame& by, const exit_reason*) noexcept {
  auto& token = *static_cast<value_token*>(e);
  token.message.reset();
  if (token.in_hand) end_use(*std::exchange(token.in_hand, nullptr)->share, &by);
  if (by.lost) return end_token(token, nullptr);
  auto& table = topic_table::of(*by.home);
  const bool more = table.current(token.id, token.generation_of_id) && table.at(token.id).more->waiting->values.count() != 0;
  if (more) return by.home->deliver(e, true);
  end_token(token, &by);
}

envelope* box_value(const envelope& in_hand, cell& c, frame& by) {
  const auto& token = static_cast<const value_token&>(in_hand);
  if (token.in_hand == nullptr || token.message) return nullptr;
  auto* e = make_entry(*token.in_hand->share, c, token.id, *token.in_hand->handler, topic_table::of(*c.home), by);
  e->missed = token.in_hand->missed;
  return e;
}

void discard_value(envelope* e, discard_reason why, const exit_reason*) noexcept {
  dead_letter(*e, why);
  end_token(*static_cast<value_token*>(e), owning_frame());
}

}  // namespace herald::engine
