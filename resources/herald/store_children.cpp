#include <herald/detail/notifier_process.hpp>
#include <herald/detail/writer_process.hpp>
#include <herald/store.hpp>

namespace herald {

child_spec store::notifier(std::string id, child_options options) const {
  return child<detail::notifier_process>(std::move(id), {state_}, options);
}

child_spec store::writer(std::string id, child_options options) const {
  // A disk that is waited for must not hold up the neighbours.
  if (capabilities().blocks && options.placement == together) options.placement = own_thread;
  return child<detail::writer_process>(std::move(id), {state_}, options);
}

}  // namespace herald
