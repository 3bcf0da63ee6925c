#pragma once
// The problem: rows must be changed by named actions from everywhere (plain threads, processes, gateways) and be read
// from everywhere, while one writer commits them with their events. A store is the handle for all of that: cheap to copy,
// valid over restarts of its writer, kept in the args of processes.
//
//   auto store = herald::store::open({&herald::table_of<tickets>}, herald::sqlite_options{.file = "desk.db"}).value();
//   auto opened = store.run<tickets, "open">(field<&Ticket::subject> = "printer on fire");      // result<Ticket>
//
// Its writer and notifier are processes: put `store.writer()` and `store.notifier()` among a supervisor's children (the
// writer first). Without a writer process, a plain thread that runs an action is the writer for that time; without a
// notifier nobody is told of events, but they are in the log.
//
// Thread safety: shared objects: safe. Lifetime: the store is closed when its last copy, process and event follower are
// gone. Errors: resource_errc, as values; the waiting forms answer would_block inside a handler. Limits: each wait has one
// (action_options::limit, 5 s). What still waits for the writer at the limit is withdrawn and will not happen; an action that the
// writer has in hand by then may still commit, and the text of the error says which of both it is.

#include <herald/bulk.hpp>
#include <herald/child_spec.hpp>
#include <herald/context.hpp>
#include <herald/kept_result.hpp>
#include <herald/store_answers.hpp>
#include <herald/store_capabilities.hpp>
#include <herald/store_answers.hpp>
#include <herald/store_options.hpp>
#include <herald/typed_bulk.hpp>

#include <algorithm>
#include <limits>
#include <tuple>

namespace herald {

namespace detail {
class storage;
class store_state;
}  // namespace detail

class store {
 public:
  /// In memory. The tables: `{&table_of<tickets>, ...}`; each resource once.
  [[nodiscard]] static result<store> open(std::vector<const resource_table*> tables, const memory_options& options);
  /// In a file. Makes it when it is not there.
  [[nodiscard]] static result<store> open(std::vector<const resource_table*> tables, const sqlite_options& options);

  // Running actions, from a plain thread.

  /// create: inputs. update, destroy: the row's key, or a copy of it, and inputs. Gives the row (destroy: as it was).
  template <const auto& Resource, detail::fixed_string Action, class... Args>
  [[nodiscard]] result<detail::row_type<Resource>> run(Args&&... args) const {
    return row_of<Resource>(perform(request_for<Resource, Action>(std::forward<Args>(args)...)));
  }
  /// By name, for gateways and tools: `run("tickets", "open", {{"subject", "printer"}})`. Gives the row, erased.
  [[nodiscard]] result<record> run(std::string_view resource, std::string_view action, std::vector<named_value> inputs,
                                   action_options options = {}) const;
  [[nodiscard]] result<record> run(std::string_view resource, std::string_view action, row_key key,
                                   std::vector<named_value> inputs, action_options options = {}) const;
  /// As run, and tells what happened as well: created, updated or unchanged; the event; what a hook after the commit threw.
  template <const auto& Resource, detail::fixed_string Action, class... Args>
  [[nodiscard]] result<performed<detail::row_type<Resource>>> perform(Args&&... args) const {
    auto outcome = perform(request_for<Resource, Action>(std::forward<Args>(args)...));
    if (!outcome) return outcome.error();
    return performed<detail::row_type<Resource>>{*row_of<Resource>(outcome), outcome->kind, std::move(outcome->event),
                                                 std::move(outcome->hook_trouble)};
  }
  /// What both of them run: a request as request_for and request_by_name make it.
  [[nodiscard]] result<action_outcome> perform(action_request request) const;
  /// Several actions in one transaction: `transact([](transaction& tx) -> result<T> {...})`, with `herald::run<...>(tx, ...)`
  /// inside. When it fails or throws, nothing of it happened. It may run twice; it must not keep the transaction.
  /// `limit`: how long to wait until the writer begins it; at the limit it is withdrawn and never runs (`timeout`). Once begun it is
  /// waited for, as it may look into its caller's variables.
  template <class F>
  [[nodiscard]] auto transact(F function, std::chrono::milliseconds limit = default_call_limit) const
      -> std::invoke_result_t<F&, transaction&> {
    using answer = std::invoke_result_t<F&, transaction&>;
    std::optional<answer> kept;
    auto outcome = perform_function([&function, &kept](transaction& tx) -> result<action_outcome> {
      kept.emplace(function(tx));
      if (!*kept) return kept->error();
      return action_outcome{};
    }, limit, begun::waited_for);
    if (!outcome) return outcome.error();
    return std::move(*kept);
  }

  // Running actions, from a process: the last argument is a continuation that gets the result.

  template <const auto& Resource, detail::fixed_string Action, class... Args>
  void run(context& self, Args&&... args) const {
    static_assert(sizeof...(Args) > 0, "herald: inside a process, run needs a continuation as its last argument");
    if constexpr (sizeof...(Args) > 0)
      run_with<Resource, Action>(self, std::forward_as_tuple(std::forward<Args>(args)...), std::make_index_sequence<sizeof...(Args) - 1>{});
  }

  /// The same as `transact` above; the continuation gets what the function gave. The function runs on the writer, not here.
  template <class F, class Then>
    requires std::is_invocable_v<F&, transaction&>
  void transact(context& self, F function, Then then) const {
    using answer = std::invoke_result_t<F&, transaction&>;
    auto kept = std::make_shared<std::optional<answer>>();
    begin_transaction(
        self,
        [function = std::move(function), kept](transaction& tx) mutable -> result<action_outcome> {
          kept->emplace(function(tx));
          if (!**kept) return (*kept)->error();
          return action_outcome{};
        },
        default_call_limit, [then = std::move(then), kept](context& here, result<action_outcome> outcome) mutable {
          detail::resume(then, here, outcome ? std::move(**kept) : answer{outcome.error()});
        });
  }

  /// Any request; the continuation gets a result<action_outcome>.
  template <class F>
    requires(std::is_invocable_v<F&, result<action_outcome>> || std::is_invocable_v<F&, context&, result<action_outcome>>)
  void perform(context& self, action_request request, F then) const {
    auto resume = [then = std::move(then)](context& here, result<action_outcome> outcome) mutable {
      if (!outcome) outcome = in_own_words(outcome.error());
      detail::resume(then, here, std::move(outcome));
    };
    begin(self, std::move(request), new engine::call_continuation<action_outcome, decltype(resume)>{std::move(resume)});
  }

  // Bulk actions (<herald/bulk.hpp>), from a plain thread, or with the context first and a continuation last.

  /// A request for each item: `bulk(lines, [](const line& l) { return request_for<tickets, "open">(...); })`.
  template <class Items, class F>
    requires std::is_invocable_r_v<action_request, F&, decltype(*std::declval<const Items&>().begin())>
  [[nodiscard]] bulk_result bulk(const Items& items, F request_of, bulk_options options = {}) const {
    auto at = items.begin();
    return perform_bulk(detail::bulk_run{[&]() -> std::optional<action_request> {
                                           if (at == items.end()) return std::nullopt;
                                           return request_of(*at++);
                                         },
                                         options});
  }
  /// The same from a process; it keeps the items.
  template <class Items, class F, class Then>
    requires std::is_invocable_r_v<action_request, F&, decltype(*std::declval<const Items&>().begin())>
  void bulk(context& self, Items items, F request_of, bulk_options options, Then then) const {
    auto kept = std::make_shared<const Items>(std::move(items));
    auto at = kept->begin();
    auto source = [kept, at, request_of]() mutable -> std::optional<action_request> {
      if (at == kept->end()) return std::nullopt;
      return request_of(*at++);
    };
    go_on(self, std::make_shared<detail::bulk_run>(std::move(source), options), std::move(then));
  }
  /// One action on every row that a filter means: `bulk_update<tickets, "close">(field<&Ticket::status> == "open")`, with the
  /// action's inputs, bulk_options and action_options among the words. For destroys as well.
  template <const auto& Resource, detail::fixed_string Action, class... Words>
  [[nodiscard]] result<bulk_result> bulk_update(Words&&... words) const {
    auto run = detail::bulk_of_rows<Resource, Action>(std::forward<Words>(words)...);
    if (!run) return run.error();
    return perform_bulk(*std::move(run));
  }
  template <const auto& Resource, detail::fixed_string Action, class... Words>
  [[nodiscard]] result<bulk_result> bulk_destroy(Words&&... words) const {
    return bulk_update<Resource, Action>(std::forward<Words>(words)...);
  }
  /// The same from a process, the continuation last; it gets the result<bulk_result>. Batches are asked for one after the other,
  /// so that other actions come between them.
  template <const auto& Resource, detail::fixed_string Action, class... Words>
  void bulk_update(context& self, Words&&... words) const {
    static_assert(sizeof...(Words) > 0, "herald: inside a process, a bulk needs a continuation as its last argument");
    if constexpr (sizeof...(Words) > 0)
      bulk_with<Resource, Action>(self, std::forward_as_tuple(std::forward<Words>(words)...), std::make_index_sequence<sizeof...(Words) - 1>{});
  }
  template <const auto& Resource, detail::fixed_string Action, class... Words>
  void bulk_destroy(context& self, Words&&... words) const {
    bulk_update<Resource, Action>(self, std::forward<Words>(words)...);
  }

  // Reading. Sees what is committed. On a plain thread or in a process; it does not wait for the writer. Queries are made of
  // words: filters, asc(...), desc(...), limit{n}, offset_by{n}, for_tenant{"..."} (<herald/dsl/filter.hpp>).

  template <const auto& Resource, class Key, class... Words>
  [[nodiscard]] result<detail::row_type<Resource>> get(const Key& by, const Words&... words) const {
    detail::request_reader<Resource, 0> reader;
    reader.name_row(by);
    const row_key key = std::move(reader).finish().key;
    auto of = query_for<Resource>(words...);
    if (!of) return of.error();
    auto found = find(table_of<Resource>, key);
    if (found && !of->where.holds(*found)) found = no_such_row(table_of<Resource>, key);
    if (!found) return found.error();
    return *static_cast<const detail::row_type<Resource>*>(found->row());
  }
  /// The rows of a query.
  template <const auto& Resource, class... Words>
  [[nodiscard]] result<std::vector<detail::row_type<Resource>>> select(const Words&... words) const {
    auto found = all<Resource>(words...);
    if (!found) return found.error();
    return std::move(found->rows);
  }
  /// The same, with the offset at which they were so: subscribe after it.
  template <const auto& Resource, class... Words>
  [[nodiscard]] kept_result<snapshot_of<detail::row_type<Resource>>> all(const Words&... words) const {
    using row = detail::row_type<Resource>;
    snapshot_of<row> snapshot;
    auto of = query_for<Resource>(words...);
    if (!of) return of.error();
    auto at = select(*of, [&](const record& one) { snapshot.rows.push_back(*static_cast<const row*>(one.row())); });
    if (!at) return at.error();
    snapshot.at = *at;
    return snapshot;
  }
  /// A page of at most limit{n} rows (250), and where the next one begins: `page_after{last.next}`.
  template <const auto& Resource, class... Words>
  [[nodiscard]] kept_result<page_of<detail::row_type<Resource>>> page(const Words&... words) const {
    static_assert(!(detail::shows_a_secret<Resource>(static_cast<const Words*>(nullptr)) || ...),
                  "herald: a page must not be sorted by a sensitive attribute: its keyset would show it");
    detail::query_reader<Resource> words_of;
    (words_of.read(words), ...);
    return page_as<Resource>(std::move(words_of));
  }
  /// How many rows a query's filters mean.
  template <const auto& Resource, class... Words>
  [[nodiscard]] result<std::uint64_t> count(const Words&... words) const {
    auto of = query_for<Resource>(words...);
    if (!of) return of.error();
    return count(*of);
  }
  /// Every row of a query, in pages that are read one by one, until `each` answers false, or limit{n} rows were seen. Begins where
  /// page_after and offset_by say. Gives how many it saw.
  template <const auto& Resource, class F, class... Words>
    requires std::is_invocable_r_v<bool, F&, const detail::row_type<Resource>&>
  [[nodiscard]] result<std::uint64_t> stream(F each, const Words&... words) const {
    static_assert(!(detail::shows_a_secret<Resource>(static_cast<const Words*>(nullptr)) || ...),
                  "herald: a stream must not be sorted by a sensitive attribute: the keysets of its pages would have it");
    detail::query_reader<Resource> rest;
    (rest.read(words), ...);
    rest.counted = false;
    const std::uint64_t most = rest.of.limit.value_or(std::numeric_limits<std::uint64_t>::max());
    std::uint64_t seen = 0;
    std::string next;
    while (seen < most) {
      rest.of.limit = static_cast<std::size_t>(std::min<std::uint64_t>(most - seen, detail::default_page));
      auto found = page_as<Resource>(rest);
      if (!found) return found.error();
      for (const auto& one : found->rows) {
        ++seen;
        if (!each(one)) return seen;
      }
      if (!found->more) return seen;
      next = std::move(found->next);
      rest.keyset = next;
      rest.of.offset = 0;  // of the first page
    }
    return seen;
  }
  /// A complete query's rows, erased; in every tenant that it does not exclude itself. `each` may read the store, and must not run
  /// actions: in a memory store the writer waits until the rows are through.
  [[nodiscard]] result<offset> select(const query& of, const std::function<void(const record&)>& each) const;
  [[nodiscard]] result<std::uint64_t> count(const query& of) const;
  /// The row of any tenant, or not_found.
  [[nodiscard]] result<record> find(const resource_table& resource, const row_key& key) const;
  /// All rows of a resource, and the offset at which they were so.
  [[nodiscard]] result<offset> scan(const resource_table& resource, const std::function<void(const record&)>& each) const;

  // The log.

  [[nodiscard]] offset head() const;
  /// Sequence 0 of this store's epoch: everything the log still has, when nothing was trimmed yet.
  [[nodiscard]] offset beginning() const { return {head().epoch, 0}; }
  /// The lowest sequence the log still has.
  [[nodiscard]] std::uint64_t floor() const;
  /// At most `limit` events after the offset, of one topic or of all. `gone` when the log cannot be continued from there.
  [[nodiscard]] kept_result<log_stretch> read(const offset& after, std::size_t limit,
                                         std::optional<std::string_view> topic = std::nullopt) const;

  [[nodiscard]] std::span<const resource_table* const> tables() const noexcept;
  /// What this kind of store can do beyond what all can.
  [[nodiscard]] store_capabilities capabilities() const noexcept;
  /// The described resource of this name, or no_such_resource.
  [[nodiscard]] result<const resource_table*> table(std::string_view resource) const;

  // Its processes, as children of a supervisor. One of each; the writer before the notifier.

  [[nodiscard]] child_spec writer(std::string id = "writer", child_options options = {}) const;
  [[nodiscard]] child_spec notifier(std::string id = "notifier", child_options options = {}) const;

  /// No further actions; those that wait are answered `closed`.
  void close() const;

  friend bool operator==(const store&, const store&) = default;
  [[nodiscard]] const std::shared_ptr<detail::store_state>& state() const noexcept { return state_; }

 private:
  explicit store(std::shared_ptr<detail::store_state> state) : state_{std::move(state)} {}
  [[nodiscard]] static store over(std::shared_ptr<detail::storage> data, std::vector<const resource_table*> tables,
                                  const store_options& options);

  using function_of_transaction = std::function<result<action_outcome>(transaction&)>;
  /// What becomes of a function that the writer has in hand at its caller's limit.
  enum class begun : bool { waited_for, left_alone };
  /// `of`: the request that the function runs, for the hooks that follow it. `meanwhile`: done while a writer is at it; must not throw.
  [[nodiscard]] result<action_outcome> perform_function(function_of_transaction function, std::chrono::milliseconds limit,
                                                        begun when_late,
                                                        std::shared_ptr<const action_request> of = nullptr,
                                                        const std::function<void()>& meanwhile = {}) const;
  /// The runtime's own failures (a limit, a stop) as this module's.
  [[nodiscard]] static error in_own_words(const error& why);
  /// Takes `then`, which is resumed with a result<action_outcome>.
  void begin(context& self, action_request request, engine::pending_call* then) const;
  void begin(context& self, function_of_transaction function, std::chrono::milliseconds limit, engine::pending_call* then) const;
  /// Resumes `then` with this error, after the handler in hand.
  static void refuse(context& self, error why, engine::pending_call* then);
  template <class Then>
  void begin_transaction(context& self, function_of_transaction function, std::chrono::milliseconds limit, Then then) const {
    auto resume = [then = std::move(then)](context& here, result<action_outcome> outcome) mutable {
      if (!outcome) outcome = in_own_words(outcome.error());
      then(here, std::move(outcome));
    };
    begin(self, std::move(function), limit, new engine::call_continuation<action_outcome, decltype(resume)>{std::move(resume)});
  }
  friend class bulk_stream;
  [[nodiscard]] bulk_result perform_bulk(detail::bulk_run run) const;
  /// False when there is no further batch.
  [[nodiscard]] bool perform_batch(detail::bulk_run& run, const std::function<void()>& meanwhile = {}) const;
  template <class Then>
  void go_on(context& self, std::shared_ptr<detail::bulk_run> run, Then then) const {
    auto batch = run->next();
    if (!batch) return detail::resume(then, self, std::move(run->so_far()));
    begin_transaction(self, std::move(batch), run->limit(),
                      [here = *this, run, then = std::move(then)](context& on, result<action_outcome> outcome) mutable {
                        run->take(outcome);
                        here.go_on(on, run, std::move(then));
                      });
  }
  /// One page of what these words mean.
  template <const auto& Resource>
  [[nodiscard]] kept_result<page_of<detail::row_type<Resource>>> page_as(detail::query_reader<Resource> words) const {
    using row = detail::row_type<Resource>;
    page_of<row> page;
    auto counted = page_begins(words.of, words.tenant, words.any_tenant, words.counted, words.keyset);
    if (!counted) return counted.error();
    page.count = *counted;
    const std::size_t most = *words.of.limit - 1;
    record last;
    auto done = select(words.of, [&](const record& one) {
      if (page.rows.size() == most) {
        page.more = true;
        return;
      }
      page.rows.push_back(*static_cast<const row*>(one.row()));
      last = one;
    });
    if (!done) return done.error();
    if (page.more) page.next = last ? keyset_after(words.of, last) : std::string{words.keyset};  // limit{0}: where this one began
    return page;
  }
  template <const auto& Resource, detail::fixed_string Action, class Tuple, std::size_t... I>
  void bulk_with(context& self, Tuple words, std::index_sequence<I...>) const {
    using last = std::tuple_element_t<sizeof...(I), Tuple>;
    using continuation = std::decay_t<last>;
    constexpr bool fits = detail::continues<continuation, result<bulk_result>>;
    static_assert(fits, "herald: inside a process, a bulk needs a continuation that takes a result<bulk_result> as its last argument");
    if constexpr (fits) {
      auto run = detail::bulk_of_rows<Resource, Action>(std::get<I>(std::move(words))...);
      auto then = continuation{std::forward<last>(std::get<sizeof...(I)>(words))};
      if (run) return go_on(self, std::make_shared<detail::bulk_run>(*std::move(run)), std::move(then));
      auto resume = [then = std::move(then)](context& here, result<action_outcome> refused) mutable {
        detail::resume(then, here, result<bulk_result>{refused.error()});
      };
      refuse(self, run.error(), new engine::call_continuation<action_outcome, decltype(resume)>{std::move(resume)});
    }
  }
  /// Completes a page's query and asks for one row more than it shows. Gives the count when it is wanted.
  [[nodiscard]] result<std::optional<std::uint64_t>> page_begins(query& of, std::string_view tenant, bool any_tenant, bool counted,
                                                                 std::string_view keyset) const;
  [[nodiscard]] static error no_such_row(const resource_table& resource, const row_key& key);

  template <const auto& Resource>
  [[nodiscard]] static result<detail::row_type<Resource>> row_of(const result<action_outcome>& outcome) {
    if (!outcome) return outcome.error();
    const record& left = outcome->after ? outcome->after : outcome->before;
    return *static_cast<const detail::row_type<Resource>*>(left.row());
  }

  template <const auto& Resource, detail::fixed_string Action, class Tuple, std::size_t... I>
  void run_with(context& self, Tuple args, std::index_sequence<I...>) const {
    using row = detail::row_type<Resource>;
    using last = std::tuple_element_t<sizeof...(I), Tuple>;
    using continuation = std::decay_t<last>;
    static_assert(detail::continues<continuation, result<row>>,
                  "herald: inside a process, run needs a continuation that takes a result of the row as its last argument");
    action_request request = request_for<Resource, Action>(std::get<I>(std::move(args))...);
    auto resume = [then = continuation{std::forward<last>(std::get<sizeof...(I)>(args))}](
                      context& here, result<action_outcome> outcome) mutable {
      detail::resume(then, here, row_of<Resource>(outcome));
    };
    perform(self, std::move(request), std::move(resume));
  }

  std::shared_ptr<detail::store_state> state_;
};

}  // namespace herald
