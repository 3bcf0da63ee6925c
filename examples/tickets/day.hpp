#pragma once
// The program of one day: a store, and the processes that work with it. What outlives it is the store's file.

#include "mailer.hpp"

#include <cstdio>

inline const std::vector<const herald::resource_table*> described{
    &herald::table_of<representatives>, &herald::table_of<tickets>, &herald::table_of<letters>};

class day {
 public:
  explicit day(const std::string& file) : store{herald::store::open(described, herald::sqlite_options{.file = file}).value()} {}

  /// The board, a view for each representative, and somebody who hears live of every letter.
  void begin() {
    herald::supervisor views{.name = "views", .children = {herald::child<view>("board", {store, {}, &view_began})}};
    for (const auto& one : store.select<representatives>().value())
      views.children.push_back(herald::child<view>(one.name, {store, one.id, &view_began}));
    const auto count = views.children.size();
    herald::supervisor desk{.name = "desk", .children = {store.writer(), store.notifier(),
        herald::subscriber("letter:written", [this](const herald::event<letters>&) { letter_written.release(); }),
        std::move(views)}};
    app.emplace(std::move(desk), herald::application_options{.sinks = {[](const herald::report&) {}}});  // kills are no news here
    app->start();
    for (std::size_t i = 0; i < count; ++i) view_began.acquire();
  }
  /// Temporary: who kills it has killed it for today.
  void start_mailer() {
    auto spec = herald::child<mailer>("mailer", {store, &mailer_ended}, {.restart = herald::temporary});
    const auto started = app->root().start_child(std::move(spec));
    if (!started) std::printf("%s\n", started.error().to_string().c_str());
  }

  /// Says what came of an action.
  template <class T>
  void tell(const std::string& what, const herald::result<herald::performed<T>>& outcome) {
    const auto came = outcome ? std::string{to_string(outcome->kind)} : outcome.error().to_string();
    std::printf("%s: %s\n", what.c_str(), came.c_str());
    if (outcome && outcome->event && outcome->event->resource == &herald::table_of<tickets>) last = outcome->event->at;
  }
  /// What a view shows once it has been told of everything up to `at`.
  void look(const std::string& name, herald::offset at) const {
    std::printf("  %s, %s\n", name.c_str(), app->find<view>("views/" + name).call(show{at}).value().c_str());
  }
  void wait_for_letters() {
    while (store.count<letters>().value() < letters_wanted(store, store.beginning()).size()) letter_written.acquire();
  }

  herald::store store;
  std::counting_semaphore<> view_began{0}, letter_written{0}, mailer_ended{0};
  herald::offset last;  // of the newest event of a ticket that was told
  std::optional<herald::application> app;
};
