#include <herald/detail/notifier_process.hpp>
#include <herald/store.hpp>

namespace herald {

child_spec store::notifier(std::string id, child_options options) const {
  return child<detail::notifier_process>(std::move(id), {state_}, options);
}

}  // namespace herald
