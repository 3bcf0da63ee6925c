#include <cstdio>
#include <herald/herald.hpp>
#include <herald/json.hpp>

struct Book {
  std::int64_t id = 0;
  std::string title;
  std::string shelf = "new";
  std::optional<std::string> lent_to;
  std::int64_t version = 0;
  herald::timestamp added_at{};
};

using namespace herald::dsl;
inline constexpr auto books = herald::resource<Book>("books",
    attribute<&Book::id>(primary_key, generated),
    attribute<&Book::title>(required, max_length{60}),
    attribute<&Book::shelf>(one_of{"new", "fiction", "science"}),
    attribute<&Book::lent_to>(),
    attribute<&Book::version>(optimistic_lock),
    attribute<&Book::added_at>(inserted_at),
    create("add", accepts<&Book::title, &Book::shelf>),
    update("lend", accepts<&Book::lent_to>, validate{[](const Book& b) { return present<&Book::lent_to>(b); }}),
    update("give_back", accepts<>, change{[](auto& book) { book.set(field<&Book::lent_to>, std::nullopt); }}),
    destroy("discard"));

int main() {
  auto store = herald::store::open({&herald::table_of<books>}, herald::memory_options{}).value();

  // Typed: an unknown action, an attribute outside accepts<...> or a value of another type does not compile.
  const auto book = store.run<books, "add">(field<&Book::title> = "The Sea Around Us", field<&Book::shelf> = "science").value();
  std::printf("added %lld: %s\n", static_cast<long long>(book.id), book.title.c_str());
  const auto lent = store.run<books, "lend">(book.id, field<&Book::lent_to> = "Ada").value();
  std::printf("lent to %s, version %lld\n", lent.lent_to->c_str(), static_cast<long long>(lent.version));

  // What breaks a rule is a value that says what it got and what was wanted.
  std::printf("%s\n", store.run<books, "add">(field<&Book::shelf> = "cellar").error().to_string().c_str());
  std::printf("%s\n", store.run<books, "give_back">(book).error().to_string().c_str());  // `book` is an old copy

  // By name, for gateways: the same tables, checked at run time.
  std::printf("%s\n", store.run("books", "lnd", book.id, {}).error().message().c_str());
  const auto second = store.run("books", "add", {{"title", herald::value{"Dune"}}}).value();
  std::printf("second is on the shelf \"%s\"\n", second.as<Book>()->shelf.c_str());

  // What happened is in the log, in the order of the commits.
  const auto log = store.read(store.beginning(), 10).value();
  for (const auto& event : log.events)
    std::printf("%llu %s %s %s\n", static_cast<unsigned long long>(event->at.sequence),
                std::string{event->resource->name}.c_str(), std::string{event->action_info().name}.c_str(),
                std::string{herald::to_string(event->kind)}.c_str());
}
