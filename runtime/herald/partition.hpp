#pragma once
// The problem: one process is one queue, and some state gets more messages than one queue can serve. It is then split by
// key: n processes of one kind, each with its share of the keys, and the same key always at the same one.
//
//   herald::partition("shards", herald::child<shard>("shard", {.db = db}),
//                     {.partitions = 8, .with_arguments = [](shard::args a, std::size_t n) { a.number = n; return a; }})
//
//   const auto shards = herald::find_partition<shard>(app, "shards");     // or (self, "shards") in a process; keep it
//   shards.of(order.customer).cast(order);
//
// The partitions are children "0" up of a one_for_one supervisor, spread over the hosts; one that crashes is restarted
// in place and its keys find it again. Integers and enumerators choose by |key| mod n, strings by a hash that is the same
// in every run and on every machine.
//
// Thread safety: partition_ref is a value; of() takes no lock and may be called from anywhere. Lifetime: as of `ref`; it
// follows restarts of the partitions and of their supervisor. Errors: what is wrong with the spec is told by check_spec
// before anything starts; without partitions of() gives an empty ref and lookup() says so.
// The idea: Elixir's PartitionSupervisor.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

#include <herald/engine/partition_table.hpp>
#include <herald/supervisor.hpp>

namespace herald {

class application;

/// What makes the arguments of each partition from those in the spec: a function (P::args, std::size_t number) ->
/// P::args, or (child_spec, std::size_t number) -> child_spec. Called while the spec is put together, never later.
class with_arguments_t {
 public:
  with_arguments_t() = default;
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, with_arguments_t>)
  with_arguments_t(F f) : with_arguments_t{first_of(&F::operator()), std::move(f)} {}  // NOLINT: a function is one

  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(apply_); }
  /// Null: a whole child_spec.
  [[nodiscard]] const engine::type_tag* wants() const noexcept { return wants_; }
  void apply(child_spec& spec, std::size_t number) const { apply_(spec, number); }

 private:
  template <class A>
  struct argument {};
  template <class C, class R, class A>
  static argument<std::remove_cvref_t<A>> first_of(R (C::*)(A, std::size_t) const) { return {}; }
  template <class C, class R, class A>
  static argument<std::remove_cvref_t<A>> first_of(R (C::*)(A, std::size_t)) { return {}; }

  template <class A, class F>
  with_arguments_t(argument<A>, F f) {
    if constexpr (std::same_as<A, child_spec>) {
      apply_ = [f = std::move(f)](child_spec& spec, std::size_t n) mutable { spec = f(spec, n); };
    } else {
      wants_ = &engine::tag_of<A>;
      apply_ = [f = std::move(f)](child_spec& spec, std::size_t n) mutable {
        spec.args = std::make_shared<const A>(f(*static_cast<const A*>(spec.args.get()), n));
      };
    }
  }
  const engine::type_tag* wants_ = nullptr;
  std::function<void(child_spec&, std::size_t)> apply_;
};

struct partition_options {
  /// 1 to max_partitions; by default one for each processor.
  std::size_t partitions = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 256);
  with_arguments_t with_arguments{};
  placement_t placement = spread;        ///< of the partitions
  intensity_t intensity{3, std::chrono::seconds{5}};
  restart_t restart = permanent;         ///< of the supervisor, as a child of another
  std::optional<shutdown_t> shutdown{};  ///< likewise; default infinity
};
inline constexpr std::size_t max_partitions = 65'536;

/// n children like `spec` (its id does not matter; permanent or transient), each with its number.
[[nodiscard]] child_spec partition(std::string id, child_spec spec, partition_options options = {});

namespace detail {

/// What a key counts as; |key| of an integer.
template <class Key>
[[nodiscard]] constexpr std::uint64_t partition_key(const Key& key) noexcept {
  if constexpr (std::is_enum_v<Key>) {
    return partition_key(static_cast<std::underlying_type_t<Key>>(key));
  } else if constexpr (std::signed_integral<Key>) {
    return key < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(key) : static_cast<std::uint64_t>(key);
  } else if constexpr (std::integral<Key>) {
    return key;
  } else {
    static_assert(std::is_convertible_v<const Key&, std::string_view>,
                  "herald: a partition is chosen by an integer, an enumerator or a string; hash other keys to one of them");
    std::uint64_t hash = 14695981039346656037u;  // FNV-1a
    for (const char c : std::string_view{key}) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    return hash;
  }
}

}  // namespace detail

/// What partition_refs of all types have in common.
class partition_base {
 public:
  partition_base() = default;
  /// False: there is no such partition supervisor, or its partitions are of another type.
  explicit operator bool() const noexcept { return table_ != nullptr; }
  /// How many take part now.
  [[nodiscard]] std::size_t partitions() const noexcept { return table_ != nullptr ? table_->count() : 0; }
  /// For which_children, count_children, terminate_child ...
  [[nodiscard]] const supervisor_ref& supervisor() const noexcept { return supervisor_; }

  /// Changes how many partitions take part: 0 to the number it was made with. Surplus ones are stopped after the keys
  /// have left them, missing ones are started before keys come to them; keys change their partition in any case.
  [[nodiscard]] result<void> resize(std::size_t partitions, std::chrono::milliseconds limit = default_call_limit) const {
    return supervisor_.ask<void>(supervisor_ref::resize(partitions), limit);
  }
  template <class F>
  void resize(context& self, std::size_t partitions, std::chrono::milliseconds limit, F then) const {
    supervisor_.ask<void>(self, supervisor_ref::resize(partitions), limit, std::move(then));
  }

 protected:
  partition_base(supervisor_ref who, std::shared_ptr<const engine::partition_table> table)
      : supervisor_{who}, table_{std::move(table)} {}
  static partition_base find(engine::core& system, std::string_view path, const engine::process_ops* type);
  static engine::core& inside(const application& app);
  [[nodiscard]] engine::address at(std::uint64_t key) const noexcept {
    return table_ != nullptr ? table_->at_key(key) : engine::address{};
  }
  [[nodiscard]] error nobody() const;
  static const engine::process_ops* supervisor_type() noexcept;

 private:
  supervisor_ref supervisor_;
  std::shared_ptr<const engine::partition_table> table_;
};

/// The partitions of one partition supervisor, as one thing to send to. P: their process type, or `supervisor`.
template <class P>
class partition_ref : public partition_base {
 public:
  using target = std::conditional_t<std::same_as<P, herald::supervisor>, supervisor_ref, ref<P>>;
  partition_ref() = default;

  /// The partition of this key; empty when none takes part.
  template <class Key>
  [[nodiscard]] target of(const Key& key) const noexcept {
    return target{at(detail::partition_key(key))};
  }
  /// The same, as a value that says what is wrong.
  template <class Key>
  [[nodiscard]] result<target> lookup(const Key& key) const {
    if (const auto found = of(key)) return found;
    return nobody();
  }

  [[nodiscard]] static partition_ref find(const application& app, std::string_view path) {
    return partition_ref{partition_base::find(inside(app), path, type())};
  }
  [[nodiscard]] static partition_ref find(const context& self, std::string_view path) {
    return partition_ref{partition_base::find(engine::system_of(self.cell()), path, type())};
  }

 private:
  explicit partition_ref(partition_base base) : partition_base{std::move(base)} {}
  static const engine::process_ops* type() noexcept {
    if constexpr (std::same_as<P, herald::supervisor>) {
      return supervisor_type();
    } else {
      return &engine::ops_of<P>;
    }
  }
};

/// The partition supervisor at `path`; an empty one when there is none, or its partitions are no P.
template <class P>
[[nodiscard]] partition_ref<P> find_partition(const application& app, std::string_view path) {
  return partition_ref<P>::find(app, path);
}
template <class P>
[[nodiscard]] partition_ref<P> find_partition(const context& self, std::string_view path) {
  return partition_ref<P>::find(self, path);
}

}  // namespace herald
