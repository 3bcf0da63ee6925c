#pragma once
// The problem: connections, sessions and jobs come and go while the program runs; nobody can list them beforehand. A
// dynamic supervisor starts with no children, starts them on request, restarts each by itself, and ends them all at once.
//
//   herald::dynamic<session>("sessions", {.restart = herald::transient, .max_children = 10'000})  // all of one type
//   herald::dynamic("jobs", {.max_children = 500})                        // any child_spec, different ones side by side
//
// What all children need and no caller of start_child should have to know goes in front of their own arguments, at the
// first start and at every restart. A process type says so with `struct extra_args`:
//
//   struct session : herald::process<session, line> {
//     struct extra_args { database db; };                       // the same for all, from the supervisor
//     struct args { int socket; };                              // each one's own
//     session(herald::context&, const extra_args& common, const args& own);
//   };
//   herald::dynamic<session>("sessions", session::extra_args{db}, {...});  ...  sessions.start_child<session>({socket});
//   herald::dynamic("jobs", {.extra_args = {session::extra_args{db}, report::extra_args{printer}}});
//
// A start is asynchronous: while one child's init takes its time, others are started and requests are answered.
// Thread safety: values. Errors: check_spec tells faults before anything starts; a start without its extra_args is
// bad_spec. The idea: Elixir's DynamicSupervisor, and OTP's simple_one_for_one.

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <herald/child_spec.hpp>
#include <herald/supervision.hpp>

namespace herald {

/// Options of a supervisor whose children come and go at run time, all of one type.
struct dynamic_options {
  restart_t restart = permanent;  ///< of each child
  std::optional<shutdown_t> shutdown{};
  mailbox_t mailbox{};
  on_restart_t on_restart = keep;
  backoff_t backoff{};
  placement_t placement{};        ///< of each child; together: on the supervisor's host
  std::chrono::milliseconds start_timeout{0};
  intensity_t intensity{3, std::chrono::seconds{5}};
  std::uint32_t max_children = ~std::uint32_t{0};  ///< 1 up; children that are being restarted count
  via_name via{};  ///< a name for each child, from its arguments: registry::name_from
};

/// The values that children of a dynamic supervisor get before their own arguments, one for each type.
class extra_args_t {
 public:
  extra_args_t() = default;
  template <class... A>
    requires(sizeof...(A) > 0 && !(std::same_as<std::remove_cvref_t<A>, extra_args_t> || ...))
  extra_args_t(A... values) {  // NOLINT: a value is a list of one
    (values_.push_back({&engine::tag_of<A>, std::make_shared<const A>(std::move(values))}), ...);
  }
  struct value {
    const engine::type_tag* type;
    std::shared_ptr<const void> what;
    friend bool operator==(const value&, const value&) = default;
  };
  [[nodiscard]] const std::vector<value>& values() const noexcept { return values_; }

 private:
  std::vector<value> values_;
};

/// Options of a supervisor whose children come and go at run time, each with a spec of its own.
struct dynamic_supervisor_options {
  intensity_t intensity{3, std::chrono::seconds{5}};
  std::uint32_t max_children = ~std::uint32_t{0};  ///< 1 up; children that are being restarted count
  extra_args_t extra_args{};
  restart_t restart = permanent;         ///< of the supervisor, as a child of another
  std::optional<shutdown_t> shutdown{};  ///< likewise; default infinity
  placement_t placement = spread;        ///< of the supervisor; of its children by default
  bool significant = false;              ///< of the supervisor, as a child
};

namespace detail {
[[nodiscard]] child_spec make_dynamic(std::string id, child_spec pattern, const dynamic_options& options,
                                      extra_args_t extra);

template <class P>
[[nodiscard]] child_spec pattern_of() {
  child_spec pattern;
  pattern.ops = &engine::ops_of<P>;
  if constexpr (engine::has_args<P>) pattern.args_kind = &engine::args_ops_of<typename P::args>;
  return pattern;
}
}  // namespace detail

/// A supervisor for any number of processes of type P, started with supervisor_ref::start_child<P>(args).
template <class P>
  requires(!engine::has_extra_args<P>)
[[nodiscard]] child_spec dynamic(std::string id, dynamic_options options = {}) {
  return detail::make_dynamic(std::move(id), detail::pattern_of<P>(), options, {});
}
/// The same for a type that wants extra arguments.
template <class P>
  requires engine::has_extra_args<P>
[[nodiscard]] child_spec dynamic(std::string id, typename P::extra_args extra, dynamic_options options = {}) {
  return detail::make_dynamic(std::move(id), detail::pattern_of<P>(), options, extra_args_t{std::move(extra)});
}
/// A supervisor for any number of children of any kind, started with supervisor_ref::start_child(child_spec).
[[nodiscard]] child_spec dynamic(std::string id, dynamic_supervisor_options options = {});

}  // namespace herald
