#pragma once
// The problem: two applications of one program want one bus, and the adapter interface wants a test that needs no network.
// A loopback holds the buses of any number of applications together: payloads cross as they are, shared and typed.
//
//   const auto net = std::make_shared<herald::loopback>();
//   herald::application one{{.name = "one", .children = {herald::pubsub("", {.adapter = net->adapter("one")}), ...}}};
//   herald::application two{{.name = "two", .children = {herald::pubsub("", {.adapter = net->adapter("two")}), ...}}};
//
// Thread safety: all of it, from anywhere. Lifetime: its adapters hold it. Errors: unknown_node; a name that is taken is
// an error of start, and so of the application's start.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include <herald/adapter.hpp>

namespace herald {

class loopback : public std::enable_shared_from_this<loopback> {
 public:
  /// One node's end of it.
  [[nodiscard]] std::shared_ptr<herald::adapter> adapter(std::string node_name);
  /// The nodes that are started, by name.
  [[nodiscard]] std::vector<std::string> nodes() const;
  /// What a node's subscribers want, as told by its bus.
  [[nodiscard]] std::vector<std::string> interests(std::string_view of) const;

 private:
  class end;
  struct node {
    inlet* into = nullptr;
    std::multiset<std::string, std::less<>> wanted;
  };
  mutable std::shared_mutex mutex_;  ///< stop() waits here until nobody delivers any more
  std::map<std::string, node, std::less<>> nodes_;
};

}  // namespace herald
