// Actions inside actions, and several in one transaction.

#include "article.hpp"

using namespace article_test;

TEST_CASE("N5, H1: a nested action's event follows its parent's, in the order they were written") {
  scratch store{both};
  store.must(request_for<notes, "add_article">(field<&Note::article> = 1));
  const auto log = store.log();
  REQUIRE(log.size() == 2);
  CHECK(log[0]->resource->name == "notes");
  CHECK(log[1]->resource->name == "articles");
}

TEST_CASE("C30, N24: when an after_action fails, the parent's and the nested rows and events are all gone") {
  scratch store{both};
  const auto failed = store(request_for<notes, "add_and_fail">(field<&Note::article> = 1));
  REQUIRE(failed.is(resource_errc::invalid));
  CHECK(failed.error().message() == "the note changed its mind");
  CHECK(store.log().empty());
  CHECK_FALSE(store.find(herald::table_of<articles>, 1));
  CHECK_FALSE(store.find(herald::table_of<notes>, 1));
  store.must(request_for<notes, "add">(field<&Note::article> = 1));
  CHECK(store.log().size() == 1);
  CHECK(store.log()[0]->at.sequence == 1);
}

TEST_CASE("a nested action that is refused undoes itself only") {
  scratch store{both};
  store.must(request_for<notes, "add_in_spite">(field<&Note::article> = 1));
  CHECK(store.log().size() == 1);
  CHECK_FALSE(store.find(herald::table_of<articles>, 1));
}

TEST_CASE("H1: several actions over several resources in one transaction keep their order, or all vanish") {
  scratch store{both};
  const auto all = [](bool fail) {
    return [fail](herald::transaction& tx) -> herald::result<void> {
      for (int i = 0; i < 3; ++i) {
        if (auto made = herald::run<notes, "add">(tx, field<&Note::article> = i); !made) return made.error();
        if (auto made = herald::run<articles, "write">(tx, field<&Article::title> = "t"); !made) return made.error();
      }
      if (fail) return herald::error{resource_errc::invalid, "no"};
      return {};
    };
  };
  CHECK_FALSE(store.in(all(true)).has_value());
  CHECK(store.log().empty());
  CHECK(store.in(all(false)).has_value());
  const auto log = store.log();
  REQUIRE(log.size() == 6);
  for (std::size_t i = 0; i < log.size(); ++i) {
    CHECK(log[i]->at.sequence == i + 1);
    CHECK(log[i]->resource->name == (i % 2 == 0 ? "notes" : "articles"));
  }
}
