#include <cstdio>
#include <string>
#include <vector>

#include <herald/runtime.hpp>

using namespace std::chrono_literals;

// -behaviour(gen_server).
struct push { std::string item; };                                   // gen_server:cast(S, {push, Item})
struct pop { using reply = std::string; };                           // gen_server:call(S, pop)

struct stack : herald::process<stack, push, pop> {
  struct args { std::vector<std::string> items; };
  explicit stack(args a) : items_{std::move(a.items)} {}             // init([Items]) -> {ok, Items}.
  std::string on(const pop&) {                                       // handle_call(pop, _, [X | Rest]) -> {reply, X, Rest}.
    auto top = items_.back();                                        //   (an empty stack crashes in both languages)
    items_.pop_back();
    return top;
  }
  void on(const push& m) { items_.push_back(m.item); }               // handle_cast({push, X}, Items) -> {noreply, [X | Items]}.
  void terminate(const herald::exit_reason& why) {                   // terminate(Reason, _) -> io:format(...).
    std::printf("stack ends: %s\n", why.to_string().c_str());
  }
 private:
  std::vector<std::string> items_;
};

int main() {
  herald::application app{{                                          // supervisor:init/1
      .name = "top",
      .strategy = herald::one_for_one,                               // #{strategy => one_for_one,
      .intensity = {3, 5s},                                          //   intensity => 3, period => 5},
      .children = {herald::child<stack>("stack", {{"a", "b"}},       // #{id => stack, start => {stack, start_link, [...]},
          {.restart = herald::permanent, .shutdown = 5s})}}};        //   restart => permanent, shutdown => 5000}
  app.start();
  const auto s = app.find<stack>("stack");                           // whereis(stack), but valid over restarts
  s.cast(push{"c"});
  for (int i = 0; i < 2; ++i) std::printf("%s\n", s.call(pop{}).value().c_str());
}
