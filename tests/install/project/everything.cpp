// A stranger's program against the installed Herald: all modules through the umbrella header.
#include <cstdio>
#include <herald/herald.hpp>
#include <latch>

struct parcel {
  herald::uuid id;
  std::string place;
};

using namespace herald::dsl;
inline constexpr auto parcels = herald::resource<parcel>(
    "parcels", attribute<&parcel::id>(primary_key, uuid_v7), attribute<&parcel::place>(),
    create("send", accepts<&parcel::place>), pub_sub("parcel", publish("send", topic("sent"))));

struct clerk : herald::process<clerk, herald::event<parcels>> {
  struct args {
    std::latch* seen;
  };
  clerk(herald::context& self, args a) : seen_{a.seen} {
    herald::subscribe<herald::event<parcels>>(self, "parcel:sent");
  }
  void on(const herald::event<parcels>& e) {
    std::printf("a parcel to %s\n", e.after->place.c_str());
    seen_->count_down();
  }

 private:
  std::latch* seen_;
};

int main() {
  auto store = herald::store::open({&herald::table_of<parcels>}, herald::memory_options{}).value();
  std::latch seen{1};
  herald::application app{
      {.name = "post",
       .children = {store.writer(), store.notifier(), herald::child<clerk>("clerk", {.seen = &seen})}}};
  app.start();
  const auto sent = store.run<parcels, "send">(field<&parcel::place> = "Hamburg");
  if (!sent) return 1;
  seen.wait();
  return 0;
}
