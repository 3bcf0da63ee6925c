#include <herald/record.hpp>

namespace herald {

namespace {

std::size_t join(std::size_t seed, std::size_t part) noexcept { return seed * 31 + part; }

// A composite key's parts must not run together: a "-" inside a text part is escaped.
void append_part(const value_view& part, bool composite, std::string& out) {
  if (!composite || part.type() != value_type::text) {
    part.append_to(out);
    return;
  }
  for (const char c : part.text()) {
    if (c == '-') {
      out.append("%2D");
    } else if (c == '%') {
      out.append("%25");
    } else {
      out.push_back(c);
    }
  }
}

}  // namespace

row_key::row_key(std::vector<value> parts) {
  if (parts.empty()) return;
  first_ = std::move(parts.front());
  parts.erase(parts.begin());
  rest_ = std::move(parts);
}

row_key row_key::of(const resource_table& table, const void* row) {
  row_key key;
  key.first_ = value{table.attributes[table.key[0]].get(row)};
  for (const std::uint8_t attribute : table.key.subspan(1)) key.rest_.emplace_back(table.attributes[attribute].get(row));
  return key;
}

std::string row_key::to_string() const {
  std::string text;
  for (std::size_t i = 0; i < size(); ++i) {
    if (i != 0) text.push_back('-');
    append_part((*this)[i], size() > 1, text);
  }
  return text;
}

std::size_t row_key::hash() const noexcept {
  std::size_t all = first_.view().hash();
  for (const value& part : rest_) all = join(all, part.view().hash());
  return all;
}

std::size_t hash_key(const record& row) noexcept {
  const auto key = row.table().key;
  std::size_t all = row.get(key[0]).hash();
  for (const std::uint8_t attribute : key.subspan(1)) all = join(all, row.get(attribute).hash());
  return all;
}

bool has_key(const record& row, const row_key& key) noexcept {
  const auto attributes = row.table().key;
  if (attributes.size() != key.size()) return false;
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    if (row.get(attributes[i]) != key[i]) return false;
  }
  return true;
}

}  // namespace herald
