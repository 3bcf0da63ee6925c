#pragma once
// Resources with every kind of attribute option and step, for the tests of actions.

#include "ticket.hpp"

namespace article_test {

using namespace ticket_test;
using namespace std::chrono_literals;
using herald::event_kind;
using herald::named_value;
using herald::request_for;
using herald::resource_errc;
using herald::timestamp;
using herald::value;

struct Article {
  std::int64_t id = 0;
  std::string title;
  std::string tag = "news";
  std::optional<std::string> bio = "none yet";
  std::optional<std::string> mood;
  int rank = 0;
  std::vector<std::string> labels;
  std::string secret;
  timestamp made_at{}, changed_at{};
};

inline constexpr auto articles = herald::resource<Article>("articles",
  attribute<&Article::id>(primary_key, generated),
  attribute<&Article::title>(required, min_length{1}),
  attribute<&Article::tag>(default_value{"plain"}),
  attribute<&Article::bio>(),
  attribute<&Article::mood>(default_from{[] { return std::string{"fresh"}; }}),
  attribute<&Article::rank>(min{0}, max{10}),
  attribute<&Article::labels>(max_length{2}),
  attribute<&Article::secret>(sensitive, max_length{3},
    matches{[](std::string_view s) { return s.find(' ') == s.npos; }, "must not have blanks"}),
  attribute<&Article::made_at>(inserted_at),
  attribute<&Article::changed_at>(updated_at),
  create("write", accepts<&Article::title, &Article::bio, &Article::mood, &Article::rank, &Article::labels, &Article::secret>),
  create("tagged", accepts<&Article::title, &Article::tag>, require<&Article::tag>),
  create("steps", accepts<&Article::title, &Article::rank>,
    change{[](auto& a) { a.set(field<&Article::tag>, a.row().tag + "1"); }},
    validate{[](const Article& a) { return a.tag == "plain1"; }, "must see the first change only"},
    change{[](auto& a) { a.set(field<&Article::tag>, a.row().tag + "2"); }},
    validate{[](const Article& a) -> const char* { return a.tag == "plain12" ? nullptr : "must see both"; }},
    change{[](auto& a) { a.increment(field<&Article::rank>, 5); }, where{[](const Article& a) { return a.rank > 1; }}},
    validate{[](const Article&) { return false; }, "must never run", where{[](const auto& a) { return a.changing(field<&Article::bio>); }}}),
  update("edit", accepts<&Article::title, &Article::bio, &Article::rank>),
  update("mark", accepts<&Article::bio>,
    change{[](auto& a) { if (a.changing(field<&Article::bio>)) a.increment(field<&Article::rank>); }}),
  update("clear", accepts<>, change{[](auto& a) { a.set(field<&Article::mood>, std::nullopt); }}),
  update("rekey", accepts<>, change{[](auto& a) { a.set(field<&Article::id>, 99); }}),
  update("throw", accepts<>, change{[](auto&) { throw std::runtime_error{"broken hook"}; }}),
  update("disagree", accepts<&Article::title>,
    validate{[](const herald::changeset<Article>& a) { return herald::check{a.row().title != a.before()->title}; }, "must differ"}),
  destroy("remove", validate{[](const Article& a) { return a.rank < 10; }, "is too high to go"}));

struct Note {
  std::int64_t id = 0;
  std::int64_t article = 0;
};

inline constexpr auto notes = herald::resource<Note>("notes",
  attribute<&Note::id>(primary_key, generated),
  attribute<&Note::article>(required, max{100}),
  create("add", accepts<&Note::article>),
  create("add_article", accepts<&Note::article>,
    after_action{[](herald::transaction& tx, const Note&) -> herald::result<void> {
      auto made = herald::run<articles, "write">(tx, field<&Article::title> = "from a note");
      if (!made) return made.error();
      return {};
    }}),
  create("add_and_fail", accepts<&Note::article>,
    after_action{[](herald::transaction& tx, const Note&) -> herald::result<void> {
      static_cast<void>(herald::run<articles, "write">(tx, field<&Article::title> = "will be undone"));
      return herald::error{resource_errc::invalid, "the note changed its mind"};
    }}),
  create("add_in_spite", accepts<&Note::article>,
    after_action{[](herald::transaction& tx, const Note&) {
      static_cast<void>(herald::run<articles, "write">(tx));  // refused: no title; only this is undone
    }}));

struct Tiny {
  std::int8_t id = 0;
};
inline constexpr auto tinies = herald::resource<Tiny>("tinies", attribute<&Tiny::id>(primary_key, generated), create("make"));

inline const std::vector<const herald::resource_table*> both{&herald::table_of<articles>, &herald::table_of<notes>};

inline Article write(scratch& store, const char* title = "title") {
  return row<articles>(store(request_for<articles, "write">(field<&Article::title> = title)));
}

}  // namespace article_test
