#include <herald/store.hpp>

#include <herald/detail/store_state.hpp>
#include <herald/engine/nodes.hpp>

#include <algorithm>
#include <limits>

namespace herald {

namespace {

using detail::store_state;

/// The hooks behind an action; what they throw is told, whatever its caller looks at.
void conclude_and_note(const action_request& request, detail::store_core& core, result<action_outcome>& outcome) {
  conclude(request, outcome);
  if (outcome && !outcome->hook_trouble.empty()) core.note_trouble(trouble_of(request, outcome->hook_trouble));
}

/// Runs the store's queue on this thread until `done`: there is no writer process. Waits no longer than this for another
/// thread that does so.
void write_here(store_state& state, const engine::waiter& done, std::chrono::milliseconds limit) {
  const std::unique_lock lock{state.direct(), limit};
  if (!lock) return;
  while (!done.done()) {
    if (state.core().execute() == 0 && !done.done() && state.core().idle()) return;
  }
}

error timed_out(std::chrono::milliseconds limit, bool withdrawn) {
  return {resource_errc::timeout, "the store's writer did not answer within " + std::to_string(limit.count()) +
                                      (withdrawn ? " ms; the action was not begun, and will not be" : " ms; the action may still commit")};
}

/// The same failure in the words of this module.
error in_own_words(const error& why) {
  if (why.is(errc::timeout)) return {resource_errc::timeout, why.message() + "; the action may still commit"};
  if (why.is(errc::closed)) return {resource_errc::closed, why.message()};
  if (why.is(errc::overload)) return {resource_errc::overload, why.message()};
  if (&why.domain() == &domain_of(errc{})) return {resource_errc::unavailable, why.message()};
  return why;
}

}  // namespace

result<store> store::open(std::vector<const resource_table*> tables, const memory_options& options) {
  auto opened = detail::open_memory(tables, options);
  if (!opened) return opened.error();
  return over(std::move(*opened), std::move(tables), options);
}

result<store> store::open(std::vector<const resource_table*> tables, const sqlite_options& options) {
  auto opened = detail::open_sqlite(tables, options);
  if (!opened) return opened.error();
  return over(std::move(*opened), std::move(tables), options);
}

store store::over(std::shared_ptr<detail::storage> data, std::vector<const resource_table*> tables,
                  const store_options& options) {
  auto core = std::make_shared<detail::store_core>(std::move(data), options);
  auto state = std::make_shared<store_state>(std::move(core), std::move(tables));
  detail::tell_notifier_of_commits(state);
  return store{std::move(state)};
}

result<action_outcome> store::perform(action_request request) const {
  const auto limit = request.limit;
  const auto shared = std::make_shared<const action_request>(std::move(request));
  return perform_function([shared](transaction& tx) { return apply(tx, *shared); }, limit, begun::left_alone, shared);
}

result<action_outcome> store::perform_function(function_of_transaction function, std::chrono::milliseconds limit, begun when_late,
                                               std::shared_ptr<const action_request> of,
                                               const std::function<void()>& meanwhile) const {
  if (state_->core().executing_here())
    return error{resource_errc::would_block,
                 "the store was asked to write inside one of its own actions, hooks or transactions, and would wait for itself: use "
                 "the transaction that is there, as herald::run(tx, ...)"};
  if (engine::on_runner())
    return error{resource_errc::would_block,
                 "the store was asked to write inside a handler without a continuation, which would block the host: give it the "
                 "context first and a continuation last"};
  using answer = result<action_outcome>;
  auto* const done = new engine::waiter_for<answer>;
  const engine::waiter_guard guard{*done};
  done->retain();
  const std::uint64_t ticket = state_->core().new_ticket();
  auto taken = state_->core().submit(
      std::move(function),
      [done, core = &state_->core(), of = std::move(of)](answer outcome) noexcept {
        if (of) conclude_and_note(*of, *core, outcome);
        done->set(std::move(outcome));
        done->release();
      },
      ticket);
  if (!taken) {
    done->release();
    return taken.error();
  }
  if (meanwhile && state_->supervised()) meanwhile();
  if (const any_ref writer = state_->writer()) {
    static_cast<void>(engine::wait(engine::system_of(*writer.where().cell), *done, limit));
  } else if (state_->supervised()) {
    static_cast<void>(done->block(limit));
  } else {
    write_here(*state_, *done, limit);
  }
  if (done->done()) return done->take();
  if (state_->core().withdraw(ticket)) {
    done->release();  // nobody will answer
    return timed_out(limit, true);
  }
  // The writer has it in hand; where the function looks into its caller's stack, that must stay until it is through.
  if (when_late == begun::waited_for) static_cast<void>(done->block(std::nullopt));
  return done->done() ? done->take() : answer{timed_out(limit, false)};
}

namespace {

void answer(const engine::reply_to& back, result<action_outcome> outcome) noexcept {
  engine::make_node<engine::early_answer<action_outcome>>(back)->answer(std::move(outcome));
}

/// `submit(back)` puts what a process asks for in line.
template <class Submit>
void begin_call(context& self, std::chrono::milliseconds limit, engine::pending_call* then, Submit&& submit) {
  const engine::address own = self.self().where();
  if (!engine::begin_call(self.cell(), self.incarnation(), then, limit)) return;
  const engine::reply_to back{own, self.incarnation(), then->id, nullptr};
  if (auto taken = submit(back); !taken) engine::fail_call(self.cell(), self.incarnation(), back.id, taken.error());
}

/// A process's request with the way back to it: one object, since there are hundreds of thousands a second.
class asked_by_process final : public detail::job {
 public:
  asked_by_process(action_request request, detail::store_core& core, const engine::reply_to& back)
      : request_{std::move(request)}, core_{core}, back_{back} {}
  result<action_outcome> run(transaction& tx) override { return apply(tx, request_); }
  void done(result<action_outcome> outcome) noexcept override {
    conclude_and_note(request_, core_, outcome);
    answer(back_, std::move(outcome));
  }

 private:
  const action_request request_;
  detail::store_core& core_;
  const engine::reply_to back_;
};

}  // namespace

void store::begin(context& self, action_request request, engine::pending_call* then) const {
  begin_call(self, request.limit, then, [&](const engine::reply_to& back) {
    auto& core = state_->core();
    return core.submit(std::make_unique<asked_by_process>(std::move(request), core, back));
  });
}

void store::begin(context& self, function_of_transaction function, std::chrono::milliseconds limit, engine::pending_call* then) const {
  begin_call(self, limit, then, [&](const engine::reply_to& back) {
    return state_->core().submit(std::move(function),
                                 [back](result<action_outcome> outcome) noexcept { answer(back, std::move(outcome)); });
  });
}

void store::refuse(context& self, error why, engine::pending_call* then) {
  if (engine::begin_call(self.cell(), self.incarnation(), then, default_call_limit))
    engine::fail_call(self.cell(), self.incarnation(), then->id, std::move(why));
}

error store::in_own_words(const error& why) { return herald::in_own_words(why); }

namespace {

result<action_request> named_request(const result<const resource_table*>& table, std::string_view action, op wanted,
                                     const std::vector<named_value>& inputs, action_options options) {
  if (!table) return table.error();
  auto request = request_by_name(**table, action, inputs);
  if (!request) return request;
  const op kind = (*table)->actions[request->action].kind;
  if ((kind == op::create) != (wanted == op::create)) {
    return error{resource_errc::wrong_action_kind, std::string{(*table)->name}
                                                       .append(".")
                                                       .append(action)
                                                       .append(" is a")
                                                       .append(kind == op::update ? "n " : " ")
                                                       .append(to_string(kind))
                                                       .append(kind == op::create ? ", which takes no key"
                                                                                  : ", which needs the row's key")};
  }
  detail::apply_options(*request, std::move(options));
  return request;
}

result<record> row_of_outcome(const result<action_outcome>& outcome) {
  if (!outcome) return outcome.error();
  return outcome->after ? outcome->after : outcome->before;
}

/// A key's values cast to the types of the primary key, as a caller by name may give a uuid as text.
result<row_key> cast_key(const resource_table& table, const row_key& given) {
  draft row{table};
  std::vector<value> parts;
  for (std::size_t i = 0; i < table.key.size(); ++i) {
    if (i >= given.size() || row.set(table.key[i], given[i]) != cast_status::ok) {
      return error{resource_errc::invalid, std::string{"the key "}
                                               .append(given.to_string())
                                               .append(" does not fit resource ")
                                               .append(table.name)
                                               .append(": its primary key wants ")
                                               .append(std::to_string(table.key.size()))
                                               .append(" part(s), part ")
                                               .append(std::to_string(i + 1))
                                               .append(" of type ")
                                               .append(to_string(table.attributes[table.key[i]].type()))};
    }
    parts.emplace_back(row.get(table.key[i]));
  }
  return row_key{std::move(parts)};
}

}  // namespace

result<record> store::run(std::string_view resource, std::string_view action, std::vector<named_value> inputs,
                          action_options options) const {
  auto request = named_request(table(resource), action, op::create, inputs, std::move(options));
  if (!request) return request.error();
  return row_of_outcome(perform(std::move(*request)));
}

result<record> store::run(std::string_view resource, std::string_view action, row_key key,
                          std::vector<named_value> inputs, action_options options) const {
  auto request = named_request(table(resource), action, op::update, inputs, std::move(options));
  if (!request) return request.error();
  auto fitting = cast_key(*request->resource, key);
  if (!fitting) return fitting.error();
  request->key = std::move(*fitting);
  return row_of_outcome(perform(std::move(*request)));
}

result<record> store::find(const resource_table& resource, const row_key& key) const {
  auto found = state_->data().find(resource, key);
  if (!found || *found) return found;
  return no_such_row(resource, key);
}

error store::no_such_row(const resource_table& resource, const row_key& key) {
  return {resource_errc::not_found, "resource " + std::string{resource.name} + " has no row " + key.to_string()};
}

result<offset> store::select(const query& of, const std::function<void(const record&)>& each) const {
  return state_->data().select(of, each);
}

result<std::uint64_t> store::count(const query& of) const { return state_->data().count(of); }

result<std::optional<std::uint64_t>> store::page_begins(query& of, std::string_view tenant, bool any_tenant, bool counted,
                                                        std::string_view keyset) const {
  if (auto ready = complete(of, tenant, any_tenant); !ready) return ready.error();
  of.limit = std::min(of.limit.value_or(detail::default_page), std::numeric_limits<std::size_t>::max() - 1) + 1;
  std::optional<std::uint64_t> all;
  if (counted) {
    auto found = count(of);
    if (!found) return found.error();
    all = *found;
  }
  if (!keyset.empty()) {
    if (auto behind = begin_after(of, keyset); !behind) return behind.error();
  }
  return all;
}

bulk_result store::perform_bulk(detail::bulk_run run) const {
  const std::function<void()> meanwhile = [&run] { run.prepare(); };
  while (perform_batch(run, meanwhile)) {
  }
  return std::move(run.so_far());
}

bool store::perform_batch(detail::bulk_run& run, const std::function<void()>& meanwhile) const {
  auto batch = run.next();
  if (!batch) return false;
  run.take(perform_function(std::move(batch), run.limit(), begun::left_alone, nullptr, meanwhile));
  return true;
}

result<offset> store::scan(const resource_table& resource, const std::function<void(const record&)>& each) const {
  return state_->data().scan(resource, each);
}

offset store::head() const { return state_->data().head(); }
std::uint64_t store::floor() const { return state_->data().floor(); }

kept_result<log_stretch> store::read(const offset& after, std::size_t limit, std::optional<std::string_view> topic) const {
  auto page = state_->data().read(after, limit, topic);
  if (!page) return page.error();
  return log_stretch{std::move(page->events), page->last, page->head};
}

store_capabilities store::capabilities() const noexcept { return state_->data().capabilities(); }

std::span<const resource_table* const> store::tables() const noexcept { return state_->tables(); }

result<const resource_table*> store::table(std::string_view resource) const {
  for (const resource_table* one : state_->tables()) {
    if (one->name == resource) return one;
  }
  return error{resource_errc::no_such_resource, "the store has no resource \"" + std::string{resource} + "\""};
}

void store::close() const { state_->core().close(); }

}  // namespace herald
