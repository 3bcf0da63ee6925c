#include <herald/error.hpp>

#include <array>

namespace herald {

struct error::detail {
  std::string message;
  std::vector<field_error> fields;
};

error::error(const error_domain& domain, int code, std::string message, std::vector<field_error> fields)
    : domain_{&domain},
      code_{code},
      detail_{std::make_shared<const detail>(detail{std::move(message), std::move(fields)})} {}

const std::string& error::message() const noexcept { return detail_->message; }
const std::vector<field_error>& error::fields() const noexcept { return detail_->fields; }

std::string error::to_string() const {
  std::string text{domain_->name};
  text.append(".").append(name()).append(": ").append(message());
  for (const auto& entry : fields()) text.append("; ").append(entry.field).append(" ").append(entry.message);
  return text;
}

namespace {

std::string_view errc_name(int code) {
  static constexpr auto names = std::to_array<std::string_view>({
      "none",       "timeout",         "noproc",          "down",      "restarting", "overload",      "calling_self",
      "would_block", "closed",         "bad_spec",        "start_failed", "already_started", "already_present",
      "not_found",  "running",         "not_supported",   "max_children", "ignored", "bad_option",
      "failed", "already_registered", "refused", "unanswered", "not_owner", "bad_trace"});
  const auto index = static_cast<std::size_t>(code);
  return index < names.size() ? names[index] : "unknown";
}

constexpr error_domain runtime_domain{"runtime", errc_name};

}  // namespace

const error_domain& domain_of(errc) noexcept { return runtime_domain; }

}  // namespace herald
