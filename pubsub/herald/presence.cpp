#include <herald/presence.hpp>

#include <algorithm>
#include <stdexcept>

#include <herald/application.hpp>
#include <herald/context.hpp>
#include <herald/engine/operation.hpp>
#include <herald/engine/presence_table.hpp>
#include <herald/engine/registry_table.hpp>
#include <herald/engine/reply_once.hpp>
#include <herald/process.hpp>
#include <herald/topic.hpp>

namespace herald {

using namespace engine;

std::string presence_ref::text() const {
  if (!*this) return {};
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(32);
  for (const auto part : {tracker, number})
    for (int shift = 60; shift >= 0; shift -= 4) out.push_back(digits[part >> shift & 15]);
  return out;
}

result<void> check_options(const presence_options& options) {
  if (options.max_presences == 0)
    return error{pubsub_errc::bad_option, "presence_options.max_presences is 0; wanted: 1 up"};
  return {};
}

namespace {

constexpr char hub_key = 0;

/// All presences of an application, by name.
class presence_hub final : public core_slot {
 public:
  explicit presence_hub(core& system) : system_{&system} {}
  static presence_hub& of(core& system) {
    return static_cast<presence_hub&>(system.slot(&hub_key, [&] { return std::make_unique<presence_hub>(system); }));
  }
  std::shared_ptr<presence_table> table(std::string_view name, const presence_kind& kind) {
    if (auto fine = check_topic(name); !fine)
      throw std::logic_error{"the name of a presence is one of a topic: " + fine.error().message()};
    const std::lock_guard lock{mutex_};
    auto& found = tables_[std::string{name}];
    if (!found) found = std::make_shared<presence_table>(*system_, std::string{name}, kind);
    if (found->kind().meta != kind.meta)
      throw std::logic_error{"the presence \"" + std::string{name} + "\" has metas of type " +
                             std::string{found->kind().meta->name} + "; got " + std::string{kind.meta->name}};
    return found;
  }
  std::vector<std::string> ending() override {
    const std::lock_guard lock{mutex_};
    for (auto& [name, t] : tables_) t->shut();
    return {};
  }

 private:
  core* system_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<presence_table>, std::less<>> tables_;
};

core& system_around(const context& self) { return self.cell().home->system(); }

struct presence_keeper : process<presence_keeper> {
  struct args {
    std::string name;
    presence_options options;
    const presence_kind* kind;
    friend bool operator==(const args&, const args&) = default;
  };
  presence_keeper(context& self, const args& a) : table_{presence_hub::of(system_around(self)).table(a.name, *a.kind)} {
    table_->open(a.options, a.options.bus.empty() ? bus{self} : bus{self, a.options.bus});
  }
  /// A crash or a kill leaves all as it is, for the next incarnation.
  void terminate(const exit_reason& why) {
    if (why.clean()) table_->close();
  }

 private:
  std::shared_ptr<presence_table> table_;
};

result<void> check(const presence_table& in, std::string_view topic, std::string_view key) {
  if (auto fine = check_topic(topic); !fine) return fine;
  if (key.empty() || key.size() > max_topic_bytes)
    return error{pubsub_errc::bad_option, "a key for \"" + std::string{topic} + "\" of the presence \"" + in.name() + "\" has " +
                                              std::to_string(key.size()) + " bytes; wanted: 1 to 1024"};
  return {};
}

error misplaced(const presence_table& in) {
  return {pubsub_errc::wrong_place, "the presence \"" + in.name() +
                                        "\" was asked with the context of a process outside of its handlers, or after its end"};
}

/// f(list, cell) as the process itself.
template <class R, class F>
result<R> as_itself(presence_table& in, context& self, F&& f) {
  std::optional<result<R>> out;
  auto& c = self.cell();
  const bool done = owners_of(c).act(c, self.incarnation(), [&](owners::list& owned) { out.emplace(f(owned, c)); });
  if (!done) return misplaced(in);
  return *std::move(out);
}

/// f(list, cell) on the home of another process; what it answers goes to `reply`.
template <class R, class F>
void at_its_home(const any_ref& who, reply_once<R> reply, F f) {
  if (!who) return reply.answer(noproc_error());
  post_control(who.where(), nullptr, [f = std::move(f), reply = std::move(reply)](cell* c, frame&) mutable {
    if (c->status != cell_status::running && c->status != cell_status::starting) return reply.answer(noproc_error());
    std::optional<result<R>> out;
    owners_of(*c).act_at_home(*c, [&](owners::list& owned) { out.emplace(f(owned, *c)); });
    reply.answer(*std::move(out));
  });
}

/// The same for a plain thread, which waits.
template <class R, class F>
result<R> wait_at_its_home(const any_ref& who, std::chrono::milliseconds limit, F f) {
  if (!who) return noproc_error();
  if (on_runner())
    return error{pubsub_errc::would_block, would_block_error().message() + "; here: the form with a context and a continuation"};
  auto* w = new waiter_for<result<R>>;
  const waiter_guard guard{*w};
  w->retain();
  at_its_home(who, reply_once<R>{engine::reply_to{{}, 0, 0, w}}, std::move(f));
  if (!wait(system_of(*who.where().cell), *w, limit)) return timeout_error(limit);
  return w->take();
}

// What is done there.

auto tracking(const std::shared_ptr<presence_table>& in, std::string_view topic, std::shared_ptr<presence_base> fresh) {
  return [in, topic = std::string{topic}, fresh = std::move(fresh)](owners::list& owned, cell& c) { return in->track(owned, c, topic, fresh); };
}

auto updating(const std::shared_ptr<presence_table>& in, std::string_view topic, std::shared_ptr<presence_base> fresh) {
  // What it replaces ends with the function, after the locks.
  return [in, topic = std::string{topic}, fresh = std::move(fresh), gone = std::make_shared<presence_ptr>()](owners::list&, cell& c) {
    return in->update(c, topic, fresh, *gone);
  };
}

auto untracking(const std::shared_ptr<presence_table>& in, const std::string* topic, std::string_view key) {
  return [in, one = topic != nullptr ? std::optional{*topic} : std::nullopt, key = std::string{key},
          gone = std::make_shared<std::vector<presence_ptr>>()](owners::list&, cell& c) -> result<std::size_t> {
    const std::string_view named = one ? std::string_view{*one} : std::string_view{};
    return in->untrack(c, one ? &named : nullptr, key, *gone);
  };
}

result<void> check_usable(const presence_table& in, std::string_view topic, std::string_view key) {
  if (auto fine = check(in, topic, key); !fine) return fine;
  if (auto why = in.unusable()) return *std::move(why);
  return {};
}

}  // namespace

namespace engine {

std::shared_ptr<presence_table> presence_of(const application& app, std::string_view name, const presence_kind& kind) {
  return presence_hub::of(app.inside()).table(name, kind);
}
std::shared_ptr<presence_table> presence_of(const context& self, std::string_view name, const presence_kind& kind) {
  return presence_hub::of(system_around(self)).table(name, kind);
}
const std::string& presence_name(const presence_table& in) noexcept { return in.name(); }
result<bus> presence_bus(const presence_table& in) { return in.where(); }

child_spec presence_child(std::string name, presence_options options, const presence_kind& kind) {
  if (auto fine = check_topic(name); !fine)
    throw std::logic_error{"the name of a presence is one of a topic: " + fine.error().message()};
  if (auto fine = check_options(options); !fine) throw std::logic_error{fine.error().message()};
  auto id = "presence:" + name;
  return child<presence_keeper>(std::move(id), {std::move(name), std::move(options), &kind});
}

result<presence_ref> presence_track(presence_table& in, context& self, std::string_view topic, std::shared_ptr<presence_base> fresh) {
  if (auto fine = check(in, topic, fresh->key); !fine) return fine.error();
  if (auto why = in.unusable()) return *std::move(why);
  return as_itself<presence_ref>(in, self, [&](owners::list& owned, cell& c) { return in.track(owned, c, topic, fresh); });
}

result<presence_ref> presence_update(presence_table& in, context& self, std::string_view topic, std::string_view key,
                                     const presence_make& make) {
  if (auto fine = check(in, topic, key); !fine) return fine.error();
  auto& c = self.cell();
  presence_ptr old;
  if (!owners_of(c).act(c, self.incarnation(), [&](owners::list&) { old = in.find(c, topic, key); })) return misplaced(in);
  // Only the process itself changes what it has; should it be fenced off meanwhile, the second step is refused.
  if (!old) return in.not_tracked(topic, key);
  const auto fresh = make(*old);
  return as_itself<presence_ref>(in, self, [&](owners::list&, cell&) { return in.update(c, topic, fresh, old); });
}

result<void> presence_untrack(presence_table& in, context& self, std::string_view topic, std::string_view key) {
  std::vector<presence_ptr> gone;
  const auto done =
      as_itself<std::size_t>(in, self, [&](owners::list&, cell& c) { return in.untrack(c, &topic, key, gone); });
  if (!done) return done.error();
  return {};
}
result<std::size_t> presence_untrack(presence_table& in, context& self) {
  std::vector<presence_ptr> gone;
  return as_itself<std::size_t>(in, self, [&](owners::list&, cell& c) { return in.untrack(c, nullptr, {}, gone); });
}

result<presence_ref> presence_track(std::shared_ptr<presence_table> in, const any_ref& who, std::string_view topic,
                                    std::shared_ptr<presence_base> fresh, std::chrono::milliseconds limit) {
  if (auto fine = check_usable(*in, topic, fresh->key); !fine) return fine.error();
  return wait_at_its_home<presence_ref>(who, limit, tracking(in, topic, std::move(fresh)));
}
result<presence_ref> presence_update(std::shared_ptr<presence_table> in, const any_ref& who, std::string_view topic,
                                     std::shared_ptr<presence_base> fresh, std::chrono::milliseconds limit) {
  if (auto fine = check(*in, topic, fresh->key); !fine) return fine.error();
  return wait_at_its_home<presence_ref>(who, limit, updating(in, topic, std::move(fresh)));
}
result<presence_ref> presence_update(std::shared_ptr<presence_table> in, const any_ref& who, std::string_view topic,
                                     std::string_view key, const presence_make& make, std::chrono::milliseconds limit) {
  if (auto fine = check(*in, topic, key); !fine) return fine.error();
  if (!who) return noproc_error();
  auto& clock = system_of(*who.where().cell).time();
  const auto end = clock.now() + limit;
  const auto left = [&] { return std::max(std::chrono::milliseconds{0}, std::chrono::duration_cast<std::chrono::milliseconds>(end - clock.now())); };
  for (;;) {
    auto old = wait_at_its_home<presence_ptr>(
        who, left(), [in, topic = std::string{topic}, key = std::string{key}](owners::list&, cell& c) -> result<presence_ptr> {
          auto found = in->find(c, topic, key);
          if (!found) return in->not_tracked(topic, key);
          return found;
        });
    if (!old) return old.error();
    // A reference of its own to the old one, so that nobody else's has its address.
    auto done = wait_at_its_home<presence_ref>(
        who, left(), [was = *old, change = updating(in, topic, make(**old)), in, topic = std::string{topic}, key = std::string{key}](
                         owners::list& owned, cell& c) -> result<presence_ref> {
          if (in->find(c, topic, key) != was) return presence_ref{};
          return change(owned, c);
        });
    if (!done || *done) return done;
    if (left().count() == 0) return timeout_error(limit);
  }
}
result<std::size_t> presence_untrack(std::shared_ptr<presence_table> in, const any_ref& who, const std::string* topic,
                                     std::string_view key, std::chrono::milliseconds limit) {
  return wait_at_its_home<std::size_t>(who, limit, untracking(in, topic, key));
}

void presence_track(std::shared_ptr<presence_table> in, const any_ref& who, std::string_view topic,
                    std::shared_ptr<presence_base> fresh, reply_to back) {
  reply_once<presence_ref> reply{back};
  if (auto fine = check_usable(*in, topic, fresh->key); !fine) return reply.answer(fine.error());
  at_its_home(who, std::move(reply), tracking(in, topic, std::move(fresh)));
}
void presence_update(std::shared_ptr<presence_table> in, const any_ref& who, std::string_view topic,
                     std::shared_ptr<presence_base> fresh, reply_to back) {
  reply_once<presence_ref> reply{back};
  if (auto fine = check(*in, topic, fresh->key); !fine) return reply.answer(fine.error());
  at_its_home(who, std::move(reply), updating(in, topic, std::move(fresh)));
}
void presence_untrack(std::shared_ptr<presence_table> in, const any_ref& who, const std::string* topic, std::string_view key,
                      reply_to back) {
  at_its_home(who, reply_once<std::size_t>{back}, untracking(in, topic, key));
}

result<presence_found> presence_read(const presence_table& in, std::string_view topic, const std::string_view* key) {
  if (auto fine = check_topic(topic); !fine) return fine.error();
  if (auto why = in.unusable()) return *std::move(why);
  return in.read(topic, key);
}
result<std::size_t> presence_count(const presence_table& in, std::string_view topic, const std::string_view* key) {
  if (auto fine = check_topic(topic); !fine) return fine.error();
  if (auto why = in.unusable()) return *std::move(why);
  return in.count(topic, key);
}
result<std::size_t> presence_total(const presence_table& in) {
  if (auto why = in.unusable()) return *std::move(why);
  return in.total();
}

}  // namespace engine

}  // namespace herald
