#include <cstdio>
#include <herald/herald.hpp>
#include <latch>
#include <stdexcept>

struct ticket { herald::uuid id; std::string subject, status = "open"; };

using namespace herald::dsl;
inline constexpr auto tickets = herald::resource<ticket>("tickets",
    attribute<&ticket::id>(primary_key, uuid_v7),
    attribute<&ticket::subject>(max_length{40}),
    attribute<&ticket::status>(one_of{"open", "closed"}),
    create("open", accepts<&ticket::subject>, validate{[](const ticket& t) { return present<&ticket::subject>(t); }}),
    update("close", accepts<>, change{[](auto& t) { t.set(field<&ticket::status>, "closed"); }}),
    pub_sub("ticket", publish("open", topic("created")), publish("close", topic("closed"))));

struct desk : herald::process<desk, herald::event<tickets>> {  // closes every ticket, also those from before its time
  struct args { herald::store store; std::latch* done; };
  desk(herald::context& self, args a) : a_{a} {
    herald::subscribe<herald::event<tickets>>(self, a_.store, "ticket:created", herald::earliest).value();
  }
  void on(herald::context& self, const herald::event<tickets>& e) {
    std::printf("life %u takes: %s\n", self.incarnation(), e.after->subject.c_str());
    if (self.incarnation() == 1) throw std::runtime_error{"coffee on the keyboard"};
    a_.store.run<tickets, "close">(self, e.after->id, [this](const auto& closed) { if (closed) a_.done->count_down(); });
  }
 private:
  args a_;
};

int main() {
  auto store = herald::store::open({&herald::table_of<tickets>}, herald::memory_options{}).value();
  for (const char* subject : {"printer on fire", "no coffee", ""})
    if (auto opened = store.run<tickets, "open">(field<&ticket::subject> = subject); !opened)
      std::printf("refused: %s\n", opened.error().to_string().c_str());
  std::latch done{2};
  herald::application app{{.name = "helpdesk",
                           .children = {store.writer(), store.notifier(), herald::child<desk>("desk", {store, &done})}}};
  app.start();
  done.wait();
  const auto all = store.all<tickets>().value();
  for (const auto& row : all.rows) std::printf("%s: %s\n", row.subject.c_str(), row.status.c_str());
}
