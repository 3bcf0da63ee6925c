#include <herald/resource_error.hpp>

#include <array>

namespace herald {

namespace {

std::string_view resource_errc_name(int code) {
  static constexpr std::array<std::string_view, 31> names{
      "none",         "invalid",        "forbidden",         "tenant_required", "not_found",     "stale",
      "taken",        "no_such_resource", "no_such_action",  "wrong_action_kind", "no_such_input", "invalid_keyset",
      "hook_failed",  "unavailable",    "overload",
      "would_block",  "timeout",        "closed",            "tx_expired",    "gone",            "not_a_database",
      "read_only",    "no_such_file", "no_such_directory",   "locked",        "newer_schema",    "schema_mismatch",
      "disk_full",    "out_of_memory",  "io_error",          "corrupt"};
  const auto index = static_cast<std::size_t>(code);
  return index < names.size() ? names[index] : "unknown";
}

constexpr error_domain resource_domain{"resources", resource_errc_name};

}  // namespace

const error_domain& domain_of(resource_errc) noexcept { return resource_domain; }

}  // namespace herald
