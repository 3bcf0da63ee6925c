#include <herald/condition.hpp>

#include <algorithm>
#include <iterator>

namespace herald {

namespace {

/// One character of UTF-8, or one byte of what is none.
std::size_t character_size(std::string_view text) {
  std::size_t size = 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) ++size;
  return size;
}

}  // namespace

bool detail::matches_like(std::string_view text, std::string_view pattern) {
  std::size_t t = 0, p = 0, retry_text = 0, retry_pattern = std::string_view::npos;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '%') {
      retry_pattern = ++p;
      retry_text = t;
    } else if (p < pattern.size() && pattern[p] == '_') {
      t += character_size(text.substr(t));
      ++p;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++t;
      ++p;
    } else if (retry_pattern != std::string_view::npos) {
      p = retry_pattern;
      retry_text += character_size(text.substr(retry_text));
      t = retry_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '%') ++p;
  return p == pattern.size();
}

namespace {

bool compares(const value_view& held, comparison how, const value_view& with) {
  switch (how) {
    case comparison::equal: return held == with;
    case comparison::unequal: return !(held == with);
    case comparison::less: return held < with;
    case comparison::at_most: return held <= with;
    case comparison::more: return held > with;
    case comparison::at_least: return held >= with;
  }
  return false;
}

error cannot(const resource_table& resource, std::string_view attribute, resource_errc code, std::string why) {
  std::string text{"resource "};
  text.append(resource.name).append(" cannot be asked for \"").append(attribute).append("\"");
  return {code, std::move(text), {{std::string{attribute}, std::move(why)}}};
}

}  // namespace

condition condition::compare(std::string attribute, comparison how, value with) {
  condition made;
  made.form_ = form::compare;
  made.how_ = how;
  made.name_ = std::move(attribute);
  made.values_.push_back(std::move(with));
  return made;
}

condition condition::in(std::string attribute, std::vector<value> values) {
  condition made;
  made.form_ = form::in;
  made.name_ = std::move(attribute);
  made.values_ = std::move(values);
  return made;
}

condition condition::is_null(std::string attribute) {
  condition made;
  made.form_ = form::is_null;
  made.name_ = std::move(attribute);
  return made;
}

condition condition::like(std::string attribute, std::string pattern) {
  condition made = compare(std::move(attribute), comparison::equal, value{std::move(pattern)});
  made.form_ = form::like;
  return made;
}

condition condition::starts_with(std::string attribute, std::string prefix) {
  condition made = compare(std::move(attribute), comparison::equal, value{std::move(prefix)});
  made.form_ = form::starts_with;
  return made;
}

condition condition::joined(form how, std::vector<condition> parts) {
  condition made;
  made.form_ = how;
  // `a || b || c` comes as (a || b) || c, however long it is: kept flat, it stays as deep as it was thought.
  if (!parts.empty() && parts.front().form_ == how) {
    made.parts_ = std::move(parts.front().parts_);
    parts.erase(parts.begin());
  }
  for (condition& part : parts) {
    if (part.form_ == how) {
      std::move(part.parts_.begin(), part.parts_.end(), std::back_inserter(made.parts_));
    } else {
      made.parts_.push_back(std::move(part));
    }
  }
  return made;
}

condition condition::all_of(std::vector<condition> parts) { return joined(form::all_of, std::move(parts)); }

condition condition::any_of(std::vector<condition> parts) { return joined(form::any_of, std::move(parts)); }

condition condition::negation(condition of) {
  condition made;
  made.form_ = form::negation;
  made.parts_.push_back(std::move(of));
  return made;
}

condition condition::on(std::size_t attribute) && {
  attribute_ = attribute;
  return std::move(*this);
}

result<void> condition::resolve(const resource_table& resource) {
  for (condition& part : parts_) {
    if (auto resolved = part.resolve(resource); !resolved) return resolved;
  }
  const bool of_attribute = form_ != form::everything && parts_.empty() && form_ != form::all_of && form_ != form::any_of;
  if (!of_attribute) return {};
  if (attribute_ == unresolved) attribute_ = resource.find_attribute(name_);
  if (attribute_ == resource_table::none) {
    attribute_ = unresolved;
    return cannot(resource, name_, resource_errc::no_such_input, "is no attribute");
  }
  const detail::attribute_info& info = resource.attributes[attribute_];
  if ((form_ == form::like || form_ == form::starts_with) && info.type() != value_type::text)
    return cannot(resource, info.name, resource_errc::invalid, "is no text");
  if (form_ == form::compare && info.type() == value_type::list && how_ != comparison::equal && how_ != comparison::unequal)
    return cannot(resource, info.name, resource_errc::invalid, "is a list, and lists have no order");
  if ((form_ == form::compare || form_ == form::in) && info.type() == value_type::map)
    return cannot(resource, info.name, resource_errc::invalid, "is a map or a struct, and these are not compared");
  if (form_ == form::like || form_ == form::starts_with) return {};
  for (const value& one : values_) {
    if (one.type() == value_type::real && one.view().real() != one.view().real())
      return cannot(resource, info.name, resource_errc::invalid, "must be compared with a number, got nan");
  }
  // As for inputs: an integer may stand for a real, a text for a uuid or an enumerator.
  const auto row = resource.make();
  for (value& one : values_) {
    if (one.is_null() || (one.type() == info.type() && info.ops->names.empty())) continue;
    if (info.set(row.get(), one.view()) != cast_status::ok)
      return cannot(resource, info.name, resource_errc::invalid,
                    std::string{"must be compared with "}.append(to_string(info.type())).append(", got ").append(to_string(one.type())));
    one = value{info.get(row.get())};
  }
  return {};
}

condition::answer condition::truth(const record& row) const {
  const auto of = [](bool yes) { return yes ? answer::yes : answer::no; };
  switch (form_) {
    case form::everything: return answer::yes;
    case form::is_null: return of(row.get(attribute_).is_null());
    case form::all_of: {
      answer all = answer::yes;
      for (const condition& part : parts_) {
        all = std::min(all, part.truth(row));
        if (all == answer::no) return all;
      }
      return all;
    }
    case form::any_of: {
      answer any = answer::no;
      for (const condition& part : parts_) {
        any = std::max(any, part.truth(row));
        if (any == answer::yes) return any;
      }
      return any;
    }
    case form::negation: {
      const answer inner = parts_.front().truth(row);
      return inner == answer::unknown ? inner : of(inner == answer::no);
    }
    case form::compare:
    case form::in:
    case form::like:
    case form::starts_with: break;
  }
  const value_view held = row.get(attribute_);
  if (form_ == form::in) {
    // In nothing is false even for null.
    if (values_.empty()) return answer::no;
    if (held.is_null()) return answer::unknown;
    bool has_null = false;
    for (const value& one : values_) {
      if (one.is_null()) has_null = true;
      else if (held == one.view()) return answer::yes;
    }
    return has_null ? answer::unknown : answer::no;
  }
  if (held.is_null() || values_.front().is_null()) return answer::unknown;
  const value_view with = values_.front().view();
  if (form_ == form::like) return of(detail::matches_like(held.text(), with.text()));
  if (form_ == form::starts_with) return of(held.text().starts_with(with.text()));
  return of(compares(held, how_, with));
}

const value* condition::equal_to(std::size_t attribute) const noexcept {
  if (form_ == form::compare && how_ == comparison::equal && attribute_ == attribute) return &values_.front();
  if (form_ != form::all_of) return nullptr;
  for (const condition& part : parts_) {
    if (const value* found = part.equal_to(attribute)) return found;
  }
  return nullptr;
}

}  // namespace herald
