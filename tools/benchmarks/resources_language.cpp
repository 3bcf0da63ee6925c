// What the language costs: the compiler, for twenty described resources, and an action, for finding its event's topics.
#include "compile.hpp"
#include "resources.hpp"

#include <herald/topics.hpp>

#include <fmt/format.h>

namespace bench::resources {

namespace {

/// Twenty resources of twelve attributes, with actions and publications as a program has them.
std::string twenty_resources() {
  std::string source = "#include <herald/resource.hpp>\n#include <herald/table_of.hpp>\nusing namespace herald::dsl;\n";
  for (int i = 0; i < 20; ++i) {
    source += fmt::format(R"(
struct R{0} {{
  herald::uuid id;
  std::string s0, s1, s2, s3;
  std::int64_t i0 = 0, i1 = 0, i2 = 0, i3 = 0;
  std::optional<std::int64_t> o0, o1;
  std::int64_t version = 0;
}};
inline constexpr auto r{0} = herald::resource<R{0}>("r{0}",
  attribute<&R{0}::id>(primary_key, uuid_v7),
  attribute<&R{0}::s0>(max_length{{200}}), attribute<&R{0}::s1>(max_length{{200}}), attribute<&R{0}::s2>(max_length{{200}}),
  attribute<&R{0}::s3>(max_length{{200}}), attribute<&R{0}::i0>(), attribute<&R{0}::i1>(), attribute<&R{0}::i2>(),
  attribute<&R{0}::i3>(), attribute<&R{0}::o0>(), attribute<&R{0}::o1>(), attribute<&R{0}::version>(optimistic_lock),
  create("open", accepts<&R{0}::s0, &R{0}::i0>, validate{{[](const R{0}& t) {{ return present<&R{0}::s0>(t); }}}}),
  update("assign", accepts<&R{0}::o0>, change{{[](auto& t) {{ t.set(field<&R{0}::s1>, "assigned"); }}}}),
  update("close", accepts<>), destroy("destroy"),
  pub_sub("r{0}",
    publish("open", topic("created")),
    publish("assign", topic("assigned", field<&R{0}::o0>), named{{"re"}}, previous_values),
    publish_all(herald::op::update, topic(any_of(field<&R{0}::o1>, tenant), "updated", any_of(pkey, skip))),
    publish_all(herald::op::destroy, topic("destroyed", pkey))));
const herald::resource_table* t{0}() {{ return &herald::table_of<r{0}>; }}
)",
                          i);
  }
  return source;
}

struct quote {
  std::int64_t id = 0;
  std::string exchange = "XETRA";
  std::string symbol = "ACME";
};

namespace language {
using namespace herald::dsl;
inline constexpr auto quotes = herald::resource<quote>(
    "quotes", attribute<&quote::id>(primary_key), attribute<&quote::exchange>(), attribute<&quote::symbol>(), create("list"),
    pub_sub("quote", publish("list", topic(field<&quote::exchange>, field<&quote::symbol>))));
}  // namespace language

}  // namespace

sample describe_20() { return compile(twenty_resources(), "-O0").time; }

sample describe_20_memory() {
  auto made = compile(twenty_resources(), "-O0");
  made.time.value = made.megabytes;
  return made.time;
}

sample topic_expansion(std::int64_t events) {
  const herald::resource_table& table = herald::table_of<language::quotes>;
  const auto event = std::make_shared<herald::event_record>();
  event->resource = &table;
  event->after = {table, std::make_shared<const quote>()};
  event->key = herald::row_key::of(event->after);
  const stopwatch watch;
  for (std::int64_t i = 0; i < events; ++i) {
    event->routes.clear();
    herald::expand_topics(event);
  }
  auto result = watch.stop();
  if (event->routes.size() != 1 || event->routes[0].topic != "quote:XETRA:ACME") throw std::runtime_error{"a wrong topic"};
  result.value = result.wall_s * 1e9 / static_cast<double>(events);
  result.workers = 1;
  return result;
}

}  // namespace bench::resources
