#include <herald/engine/child_event.hpp>

#include <herald/engine/core.hpp>
#include <herald/engine/operation.hpp>
#include <herald/engine/supervisor_state.hpp>

namespace herald::engine {

namespace {

struct event_node final : envelope {
  event_node(address parent, child_event e) : envelope{node_ops, parent}, event{std::move(e)} {}
  child_event event;
  static void run(envelope* e, cell* c, frame& by) {
    auto* self = static_cast<event_node*>(e);
    const auto event = std::move(self->event);
    free_node(self);
    if (c->state != nullptr) supervisor_of(*c).on_event(event, by);
  }
  static void discard(envelope* e, discard_reason, const exit_reason*) noexcept {
    free_node(static_cast<event_node*>(e));
  }
  static constexpr envelope_ops node_ops{run, nullptr, discard, nullptr, &tag_of<event_node>, envelope_kind::control};
};

}  // namespace

envelope* make_event_node(cell& c, child_event event) { return make_node<event_node>(c.parent, std::move(event)); }

void tell_parent(cell& c, child_event_kind kind, const exit_reason& why, frame* owned) {
  if (c.parent.cell == nullptr) {
    // Nobody restarts the root: whoever waits for one of its processes is told so.
    const bool over = kind == child_event_kind::down || kind == child_event_kind::start_failed;
    if (over) c.home->rest_cell(c);
    c.home->system().on_root(c, kind, why);
    return;
  }
  host::post(make_event_node(c, child_event{kind, c.self(), c.incarnation, why, c.cookie}), owned);
}

void order_start(cell& c, frame* owned) {
  post_control(c.self(), owned, [](cell* to, frame& by) {
    if (to->status == cell_status::ended || to->status == cell_status::resting) by.home->start_incarnation(*to, by);
  });
}

void order_stop(address c, const exit_reason& why, bool kill, frame* owned) {
  // At once, for the handler that runs on meanwhile, and again at home, for one that asks for its token in between.
  auto& stops = c.cell->home->system().stops();
  if (c.cell->alive(c)) stops.request(c.cell);
  post_control(c, owned, [why, kill](cell* to, frame& by) {
    by.home->system().stops().request(to);
    by.home->stop_cell(*to, by, why, kill);
  });
}

void order_rest(address c, frame* owned) {
  post_control(c, owned, [](cell* to, frame& by) { by.home->rest_cell(*to); });
}

void order_release(address c, frame* owned) {
  post_control(c, owned, [](cell* to, frame& by) { by.home->free_cell(*to); });
}

void order_adopt(address c, void* cookie, frame* owned) {
  post_control(c, owned, [cookie](cell* to, frame&) { to->cookie = cookie; });
}

}  // namespace herald::engine
