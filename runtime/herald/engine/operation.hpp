#pragma once
// A function as an envelope: for the host itself (a host operation, in the normal lane) or for a cell in the control
// lane. Never user code.

#include <utility>

#include <herald/engine/api.hpp>
#include <herald/engine/host.hpp>

namespace herald::engine {

template <class F>
struct control_node final : envelope {
  control_node(address receiver, F f) : envelope{node_ops, receiver}, code{std::move(f)} {}
  F code;
  static void run(envelope* e, cell* c, frame& by) {
    auto* self = static_cast<control_node*>(e);
    F code = std::move(self->code);
    free_node(self);
    code(c, by);
  }
  static void discard(envelope* e, discard_reason, const exit_reason*) noexcept {
    free_node(static_cast<control_node*>(e));
  }
  static constexpr envelope_ops node_ops{run, nullptr, discard, nullptr, &tag_of<control_node>, envelope_kind::control};
};

/// Runs f(cell*, frame&) on the cell's host, in the control lane. Vanishes when the cell is gone by then.
template <class F>
void post_control(address to, frame* owned, F f) {
  host::post(make_node<control_node<F>>(to, std::move(f)), owned);
}

/// Runs f(nullptr, frame&) on a host, in its control lane.
template <class F>
void post_control(host& to, frame* owned, F f) {
  auto* e = make_node<control_node<F>>(address{}, std::move(f));
  to.push_control(e, owned);
}

template <class F>
struct operation_node final : envelope {
  explicit operation_node(F f) : envelope{node_ops, address{}}, code{std::move(f)} {}
  F code;
  static void run(envelope* e, cell*, frame& by) {
    auto* self = static_cast<operation_node*>(e);
    by.home->finish_operation();
    F code = std::move(self->code);
    free_node(self);
    code(by);
  }
  static void discard(envelope* e, discard_reason, const exit_reason*) noexcept {
    free_node(static_cast<operation_node*>(e));
  }
  static constexpr envelope_ops node_ops{run, nullptr, discard, nullptr, &tag_of<operation_node>, envelope_kind::notice};
};

/// Runs f(frame&) on a host, behind everything that was sent to it before.
template <class F>
void post_operation(host& to, frame* owned, F f) {
  to.post_operation(make_node<operation_node<F>>(std::move(f)), owned);
}

}  // namespace herald::engine
