// A connection that comes and goes, as a state machine. Texts that are sent while there is no connection are postponed and
// go out in order as soon as there is one; failed attempts are repeated with growing pauses; a line that stays silent for
// too long counts as gone. No handler asks "am I connected?": the state says so.

#include <cstdio>
#include <latch>
#include <string>

#include <herald/runtime.hpp>
#include <herald/state_machine.hpp>

using namespace std::chrono_literals;

// --- the other side: picks up at the third attempt, and hangs up after two texts, once --------------------------------

struct dial {
  using reply = bool;
};
struct transmit {
  std::string text;
  using reply = bool;
};

struct line : herald::process<line, dial, transmit> {
  bool on(const dial&) { return ++dialled_ > 2; }
  bool on(const transmit&) { return ++texts_ != 3; }

 private:
  int dialled_ = 0;
  int texts_ = 0;
};

// --- the machine ------------------------------------------------------------------------------------------------------

struct waiting {  // for the next attempt
  int failures = 0;
};
struct dialling {
  int attempt = 1;
};
struct connected {};

struct dialled {
  bool picked_up = false;
};
struct send_text {
  std::string text;
};
struct sent {
  std::string text;
  bool arrived = false;
};
struct is_connected {
  using reply = bool;
};

struct uplink : herald::state_machine<uplink, herald::states<waiting, dialling, connected>,  //
                                      dialled, send_text, sent, is_connected> {
  struct args {
    std::latch* all_sent;
  };
  uplink(herald::context& self, args a) : state_machine{dialling{}}, line_{self.find<line>("line")}, all_sent_{a.all_sent} {}

  void enter(herald::context& self, const dialling& s) {
    std::printf("dialling, attempt %d\n", s.attempt);
    self.call(line_, dial{}, 1s, [this, &self](herald::result<bool> r) { raise(self, dialled{r && *r}); });
  }
  transition on(const dialling& s, const dialled& m) {
    if (m.picked_up) return next(connected{});
    return next(waiting{s.attempt}).state_timeout(s.attempt * 10ms);
  }

  void enter(const waiting& s) { std::printf("no answer; waiting %d ms\n", s.failures * 10); }
  transition on(const waiting& s, const herald::state_timeout&) { return next(dialling{s.failures + 1}); }

  void enter(const connected&) { std::printf("connected\n"); }
  void on(herald::context& self, const connected&, const send_text& m) {
    self.call(line_, transmit{m.text}, 1s,
              [this, &self, m](herald::result<bool> r) { raise(self, sent{m.text, r && *r}); });
  }
  transition on(const connected&, const sent& m) {
    if (!m.arrived) {
      std::printf("\"%s\" was lost, the line is dead\n", m.text.c_str());
      return next(dialling{}).then(send_text{m.text});  // again, before those that wait
    }
    std::printf("sent \"%s\"\n", m.text.c_str());
    all_sent_->count_down();
    return keep();
  }

  bool on(const is_connected&) { return is<connected>(); }  // in every state

  using postpones = herald::rules<herald::in<waiting, send_text>, herald::in<dialling, send_text>>;
  using ignores = herald::rules<herald::in<waiting, dialled, sent>, herald::in<dialling, sent>, herald::in<connected, dialled>>;

 private:
  herald::ref<line> line_;
  std::latch* all_sent_;
};

int main() {
  std::latch all_sent{3};
  herald::application app{{.name = "radio", .children = {herald::child<line>("line"), herald::child<uplink>("uplink", {&all_sent})}}};
  app.start();
  const auto up = app.find<uplink>("uplink");
  for (const auto* text : {"one", "two", "three"}) up.cast(send_text{text});
  all_sent.wait();
  std::printf("still connected: %s\n", up.call(is_connected{}).value() ? "yes" : "no");
}
