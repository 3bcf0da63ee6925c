#include <herald/callback.hpp>

#include <herald/context.hpp>
#include <herald/engine/bus_core.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/crash_text.hpp>
#include <herald/topic.hpp>

namespace herald::detail {

result<outlet_parts> prepare_outlet(std::string_view kind, const bus& where, std::string_view topic, placement_t place,
                                    subscription_options options, const engine::type_tag& event) {
  if (auto fine = check_pattern(topic); !fine) return fine.error();
  if (auto fine = engine::check_options(options, topic, event); !fine) return fine.error();
  outlet_parts parts;
  parts.plan = {std::string{topic}, where.name(), std::make_shared<const subscription_options>(std::move(options)),
                std::make_shared<std::optional<error>>()};
  // Afterwards the application may be gone; begin_outlet says so.
  if (!where.inside()->closed()) parts.spec.id = std::string{kind} + std::to_string(where.inside()->system().next_number());
  parts.spec.options.placement = place;
  return parts;
}

void open_outlet(context& self, const outlet_plan& plan, const engine::type_tag& event) {
  const auto where = plan.bus.empty() ? bus{self} : bus{self, plan.bus};
  const auto done = subscribe(self, where, plan.topic, event, *plan.options);
  if (done || done.is(pubsub_errc::closed)) return;
  *plan.refused = done.error();
  self.fail(done.error().message());
}

result<spawned> begin_outlet(const bus& where, const outlet_plan& plan, child_spec spec) {
  const auto refuse = [&](pubsub_errc code, const std::string& why) {
    return error{code, "no subscription to \"" + plan.topic + "\": " + why};
  };
  if (engine::on_runner()) return refuse(pubsub_errc::would_block, "asked for in a handler; wanted: herald::subscribe(self, ...), for the process itself");
  auto& core = *where.inside();
  if (core.closed()) return refuse(pubsub_errc::closed, "the application is stopping or stopped");
  auto begun = spawned::begin(core.system(), std::move(spec), default_call_limit);
  if (begun) return begun;
  if (begun.is(errc::timeout)) return refuse(pubsub_errc::timeout, begun.error().message());
  if (begun.is(errc::start_failed) && *plan.refused) return **plan.refused;
  if (core.closed()) return refuse(pubsub_errc::closed, begun.error().to_string());
  if (begun.is(errc::noproc)) return refuse(pubsub_errc::not_started, "the application does not run yet; wanted: after its start()");
  return begun;
}

std::string text_of_current_exception() { return engine::crash_of_current_exception().to_string(); }

void callback_troubles::tell(context& self, std::string_view topic, std::string_view what) {
  if (++count_; (count_ & (count_ - 1)) != 0) return;
  report r;
  r.kind = report::dead_letter;
  r.path = self.path();
  r.text = "a callback for \"" + std::string{topic} + "\" failed, for the " + std::to_string(count_) + ". time: " + std::string{what};
  engine::system_of(self.cell()).tell(std::move(r));
}

}  // namespace herald::detail
