#pragma once
// What the tests of stores have in common: a few small resources, a store of either kind with its core, and short words for
// running an action on it from a test's own thread, which is the writer then.

#include "temporary_directory.hpp"

#include <herald/action.hpp>
#include <herald/detail/store_core.hpp>
#include <herald/resource.hpp>
#include <herald/store_options.hpp>
#include <herald/verify.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace herald::test {

struct item {
  uuid id;
  std::string name;
  std::int64_t count = 0;
  std::optional<std::string> note;
  std::vector<std::string> tags;
  std::string secret = "none";
  std::int64_t version = 0;
};

struct counted {
  std::int64_t id = 0;
  std::string label;
};

struct cell {
  std::string sheet;
  std::int64_t row = 0;
  double content = 0;
};

namespace described {
using namespace herald::dsl;

inline constexpr auto items = herald::resource<item>(
    "items", attribute<&item::id>(primary_key, uuid_v7), attribute<&item::name>(max_length{50}),
    attribute<&item::count>(min{0}), attribute<&item::note>(), attribute<&item::tags>(),
    attribute<&item::secret>(sensitive), attribute<&item::version>(optimistic_lock), identity<&item::name>("name"),
    create("make", accepts<&item::name, &item::count, &item::note, &item::tags, &item::secret>),
    update("count", accepts<&item::count>), update("rename", accepts<&item::name>),
    update("annotate", accepts<&item::note, &item::secret>), destroy("drop"),
    pub_sub("item", publish("make", topic("made")), publish("rename", topic("name", field<&item::name>), previous_values),
            publish_all(op::update, topic("changed", pkey)), publish_all(op::destroy, topic("dropped"))));

inline constexpr auto counters = herald::resource<counted>(
    "counters", attribute<&counted::id>(primary_key, generated), attribute<&counted::label>(),
    create("make", accepts<&counted::label>), destroy("drop"), pub_sub("counter", publish("make", topic("made"))));

inline constexpr auto cells = herald::resource<cell>(
    "cells", attribute<&cell::sheet>(primary_key), attribute<&cell::row>(primary_key), attribute<&cell::content>(),
    create("make", accepts<&cell::sheet, &cell::row, &cell::content>), update("fill", accepts<&cell::content>),
    destroy("drop"));
}  // namespace described

inline const std::vector<const resource_table*> all_tables{&table_of<described::items>, &table_of<described::counters>,
                                                           &table_of<described::cells>};

inline action_request request(const resource_table& table, std::string_view action, std::vector<named_value> inputs = {},
                              row_key key = {}) {
  auto made = request_by_name(table, action, inputs);
  REQUIRE_MESSAGE(made.has_value(), (made ? std::string{} : made.error().to_string()));
  made->key = std::move(key);
  return *std::move(made);
}

/// A copy of the row, as its struct.
template <class T>
std::shared_ptr<const T> row_in(detail::storage& data, const resource_table& table, const row_key& key) {
  const auto found = data.find(table, key);
  REQUIRE(found);
  REQUIRE(*found);
  return std::make_shared<const T>(*found->as<T>());
}

/// An open store whose writer is the test's thread.
class test_store {
 public:
  explicit test_store(std::shared_ptr<detail::storage> data, store_options options = {})
      : core{std::make_shared<detail::store_core>(std::move(data), options)} {}

  /// Puts an action in line; its answer is in the slot once a batch has run.
  using answer = std::shared_ptr<std::optional<result<action_outcome>>>;
  answer submit(std::function<result<action_outcome>(transaction&)> run) {
    auto slot = std::make_shared<std::optional<result<action_outcome>>>();
    auto taken = core->submit(std::move(run), [slot](result<action_outcome> r) { slot->emplace(std::move(r)); });
    REQUIRE(taken);
    return slot;
  }
  answer submit(action_request asked) {
    return submit([asked = std::move(asked)](transaction& tx) { return apply(tx, asked); });
  }
  std::size_t execute() { return core->execute(); }

  result<action_outcome> run(std::function<result<action_outcome>(transaction&)> work) {
    auto slot = submit(std::move(work));
    while (execute() != 0) {
    }
    REQUIRE(slot->has_value());
    return **slot;
  }
  result<action_outcome> run(action_request asked) {
    return run([asked = std::move(asked)](transaction& tx) { return apply(tx, asked); });
  }
  result<action_outcome> run(const resource_table& table, std::string_view action, std::vector<named_value> inputs = {},
                             row_key key = {}) {
    return run(request(table, action, std::move(inputs), std::move(key)));
  }

  [[nodiscard]] detail::storage& data() const { return core->data(); }
  [[nodiscard]] std::vector<event_ptr> log(std::uint64_t after = 0, std::optional<std::string> topic = {}) const {
    auto page = data().read({data().head().epoch, after}, 100'000,
                            topic ? std::optional<std::string_view>{*topic} : std::nullopt);
    REQUIRE_MESSAGE(page.has_value(), (page ? std::string{} : page.error().to_string()));
    return std::move(page->events);
  }
  [[nodiscard]] std::size_t rows(const resource_table& table) const {
    std::size_t count = 0;
    REQUIRE(data().scan(table, [&](const record&) { ++count; }));
    return count;
  }
  void require_that_it_holds() const {
    auto report = detail::verify(data());
    REQUIRE(report);
    CHECK_MESSAGE(report->holds(), (report->faults.empty() ? "" : report->faults.front()));
  }

  std::shared_ptr<detail::store_core> core;
};

inline test_store memory_store(memory_options options = {}) {
  auto data = detail::open_memory(all_tables, options);
  REQUIRE(data);
  return test_store{*data, options};
}

inline test_store sqlite_store(const std::string& file, sqlite_options options = {}) {
  options.file = file;
  auto data = detail::open_sqlite(all_tables, options);
  REQUIRE_MESSAGE(data.has_value(), (data ? std::string{} : data.error().to_string()));
  return test_store{*data, options};
}

// The kinds of store, for TEST_CASE_TEMPLATE. A further kind is listed here, and must pass every case that says EVERY_STORE:
// store_contract_test, store_core_test and store_log_test.
struct in_memory {
  test_store store = memory_store();
};
struct on_sqlite {
  temporary_directory directory;
  test_store store = sqlite_store(directory.file("store.db"));
};

#define EVERY_STORE in_memory, on_sqlite

inline row_key key_of(const result<action_outcome>& made) {
  REQUIRE_MESSAGE(made.has_value(), (made ? std::string{} : made.error().to_string()));
  return row_key::of(made->after);
}

/// "3 items.make created": what an event is, for comparing whole stretches of a log.
inline std::vector<std::string> names(const std::vector<event_ptr>& events) {
  std::vector<std::string> found;
  for (const auto& event : events) {
    found.push_back(std::to_string(event->at.sequence) + " " + std::string{event->resource->name} + "." +
                    std::string{event->action_info().name} + " " + std::string{to_string(event->kind)});
  }
  return found;
}

inline const error& failure(const result<action_outcome>& outcome) {
  REQUIRE_FALSE(outcome.has_value());
  return outcome.error();
}

}  // namespace herald::test
