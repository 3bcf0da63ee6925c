#include <herald/action.hpp>

#include <exception>
#include <stdexcept>

namespace herald {

using detail::action_info;
using detail::step;
using detail::step_kind;

namespace {

constexpr std::size_t deepest = 200;

error too_deep(const action_request& request) {
  return {resource_errc::hook_failed, detail::name_of(*request.resource, request.resource->actions[request.action])
                                          .append(": more than 200 actions run inside each other; an action that runs itself "
                                                  "has no end, and a long chain of rows is destroyed piece by piece")};
}

}  // namespace

std::string trouble_of(const action_request& request, std::string_view what) {
  return detail::name_of(*request.resource, request.resource->actions[request.action])
      .append(" is committed, but a hook of it that ran after the commit threw: ")
      .append(what);
}

void conclude(const action_request& request, result<action_outcome>& outcome) {
  const action_info& action = request.resource->actions[request.action];
  if (!action.has_done) return;
  std::string trouble;
  for (const step& one : request.resource->steps_of(action)) {
    if (one.kind != step_kind::done) continue;
    try {
      one.done(request, outcome);
    } catch (const std::exception& why) {
      trouble.append(trouble.empty() ? "" : "; ").append(why.what());
    } catch (...) {
      trouble.append(trouble.empty() ? "" : "; ").append("something that is no std::exception");
    }
  }
  if (outcome) outcome->hook_trouble = std::move(trouble);
}

result<void> run_nested(transaction& tx, const action_request& request, result<action_outcome>& outcome) {
  const action_request* const outer = tx.running();
  if (outer != nullptr && ((request.tenant.empty() && !outer->tenant.empty()) || (!request.by && outer->by))) {
    action_request inheriting{request};
    if (inheriting.tenant.empty()) inheriting.tenant = outer->tenant;
    if (!inheriting.by) inheriting.by = outer->by;
    return run_nested(tx, inheriting, outcome);
  }
  auto done = tx.attempt([&] {
    if (tx.depth() >= deepest) {
      outcome = too_deep(request);
      return false;
    }
    ++tx.depth();
    outcome = apply(tx, request);
    --tx.depth();
    return outcome.has_value();
  });
  if (!request.resource->actions[request.action].has_done) return done;
  if (!outcome) {
    conclude(request, outcome);
  } else if (done) {
    tx.after_commit([request, outcome]() mutable {
      conclude(request, outcome);
      if (outcome && !outcome->hook_trouble.empty()) throw std::runtime_error{trouble_of(request, outcome->hook_trouble)};
    });
  }
  return done;
}

}  // namespace herald
