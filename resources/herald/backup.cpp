#include <herald/backup.hpp>

#include <herald/detail/store_state.hpp>
#include <herald/engine/nodes.hpp>

namespace herald {

result<void> backup(const store& of, const std::string& to) {
  if (engine::on_runner()) {
    return error{resource_errc::would_block, "backup was called inside a handler; it waits for the disk: use self.offload"};
  }
  return of.state()->data().backup(to);
}

}  // namespace herald
