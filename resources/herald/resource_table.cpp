#include <herald/event_record.hpp>
#include <herald/resource_table.hpp>

#include <array>

namespace herald {

namespace detail {

namespace {

/// What stands in front of a row, behind the count.
struct row_head {
  explicit row_head(const row_ops& of) noexcept : ops{of} {}
  row_head(const row_head&) = delete;
  row_head& operator=(const row_head&) = delete;
  ~row_head() {
    if (row != nullptr) ops.destroy(row);
  }
  /// The room behind it that row_allocator has got.
  [[nodiscard]] void* room() noexcept {
    const auto behind = reinterpret_cast<std::uintptr_t>(this + 1);  // NOLINT: an address is wanted
    return reinterpret_cast<void*>((behind + ops.alignment - 1) / ops.alignment * ops.alignment);  // NOLINT
  }
  const row_ops& ops;
  void* row = nullptr;  // once it is constructed
};

/// Gets room for a row together with what it is asked for.
template <class T>
struct row_allocator {
  using value_type = T;
  explicit row_allocator(const row_ops& of) noexcept : ops{&of} {}
  template <class U>
  row_allocator(const row_allocator<U>& other) noexcept : ops{other.ops} {}  // NOLINT: what an allocator has
  [[nodiscard]] T* allocate(std::size_t n) {
    return static_cast<T*>(::operator new(n * sizeof(T) + ops->size + ops->alignment));
  }
  void deallocate(T* at, std::size_t) noexcept { ::operator delete(at); }
  template <class U>
  friend bool operator==(const row_allocator&, const row_allocator<U>&) noexcept {
    return true;
  }
  const row_ops* ops;
};

}  // namespace

std::shared_ptr<void> shared_row(const row_ops& ops, const void* from) {
  auto head = std::allocate_shared<row_head>(row_allocator<row_head>{ops}, ops);
  void* const at = head->room();
  ops.construct(at, from);
  head->row = at;
  return {std::move(head), at};
}

}  // namespace detail

std::string_view to_string(op kind) noexcept {
  static constexpr std::array<std::string_view, 3> names{"create", "update", "destroy"};
  return names[static_cast<std::size_t>(kind)];
}

std::string_view to_string(event_kind kind) noexcept {
  static constexpr std::array<std::string_view, 4> names{"created", "updated", "destroyed", "unchanged"};
  return names[static_cast<std::size_t>(kind)];
}

std::size_t resource_table::find_attribute(std::string_view attribute_name) const noexcept {
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    if (attributes[i].name == attribute_name) return i;
  }
  return none;
}

std::size_t resource_table::find_action(std::string_view action_name) const noexcept {
  for (std::size_t i = 0; i < actions.size(); ++i) {
    if (actions[i].name == action_name) return i;
  }
  return none;
}

std::string detail::name_of(const resource_table& resource, const action_info& action) {
  return std::string{resource.name}.append(".").append(action.name);
}

}  // namespace herald
