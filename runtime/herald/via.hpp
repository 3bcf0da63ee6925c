#pragma once
// A name that a child claims in a registry before its init runs, as part of its spec: whoever finds the name finds a
// process that was wanted, and a start that fails leaves no name behind. Made by registry::name and registry::name_from.
//
// Thread safety: a value; distinct objects: safe. Errors: a name that is taken is a failed start with a sentence that
// says by whom. The idea: Elixir's via tuples.

#include <memory>
#include <utility>

#include <herald/engine/type_tag.hpp>

namespace herald {

class context;

namespace engine {

struct name_claim {
  virtual ~name_claim() = default;
  /// In the init of the process; throws start_refused when the name is taken. `args` are the child's.
  virtual void claim(context& self, const void* args) const = 0;
  /// Of the arguments that the name is made from; null: it is made from none.
  const type_tag* args = nullptr;
};

}  // namespace engine

class via_name {
 public:
  via_name() = default;
  explicit via_name(std::shared_ptr<const engine::name_claim> claim) noexcept : claim_{std::move(claim)} {}
  explicit operator bool() const noexcept { return claim_ != nullptr; }
  [[nodiscard]] const engine::type_tag* args() const noexcept { return claim_ ? claim_->args : nullptr; }
  void claim(context& self, const void* args) const { claim_->claim(self, args); }
  /// The same object: names cannot be compared by what they would be.
  friend bool operator==(const via_name&, const via_name&) = default;

 private:
  std::shared_ptr<const engine::name_claim> claim_;
};

}  // namespace herald
