#include <herald/topics.hpp>

#include <herald/topic.hpp>

#include <algorithm>
#include <exception>
#include <stdexcept>

namespace herald {

namespace {

using detail::publication_info;
using detail::topic_part;
using detail::topic_part_kind;

constexpr bool special(char c, char delimiter, bool composite) {
  return c == delimiter || (composite && c == '-');
}

/// Escapes what stands in `out` from `begin` on. Nearly always there is nothing to do.
void escape_from(std::size_t begin, char delimiter, bool composite, std::string& out) {
  const auto plain = [&](char c) {
    return c >= ' ' && c <= '~' && c != '%' && c != '*' && c != topic_delimiter && !special(c, delimiter, composite);
  };
  if (begin < out.size() && std::all_of(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), plain)) return;
  // The bus's own escaping, so that escape_segment gives subscribers the same; then what only this resource adds.
  const std::string escaped = escape_segment(std::string_view{out}.substr(begin));
  out.resize(begin);
  for (const char c : escaped) {
    if (!special(c, delimiter, composite)) {
      out.push_back(c);
      continue;
    }
    constexpr std::string_view digits = "0123456789ABCDEF";
    out.push_back('%');
    out.push_back(digits[static_cast<unsigned char>(c) >> 4]);
    out.push_back(digits[static_cast<unsigned char>(c) & 15]);
  }
}

void append_value(const value_view& from, char delimiter, bool composite, std::string& out) {
  const std::size_t begin = out.size();
  from.append_to(out);
  const bool plain = from.type() == value_type::uuid || from.type() == value_type::integer;
  if (plain && delimiter != '-') return;
  // A uuid's or number's own dashes do not make a composite key ambiguous.
  escape_from(begin, delimiter, composite && !plain, out);
}

/// Expands one publication of one event, depth first over its segments.
class expansion {
 public:
  expansion(event_record& event, std::uint16_t publication, std::string& buffer)
      : event_{event},
        table_{*event.resource},
        info_{table_.publications[publication]},
        publication_{publication},
        into_{info_.ephemeral ? event.passing : event.routes},
        first_route_{into_.size()},
        segments_{table_.segments_of(info_)},
        delimiter_{table_.delimiter[0]},
        topic_{buffer} {
    topic_.assign(table_.prefix);
  }

  void run() { expand(0); }

 private:
  void expand(std::size_t segment) {
    if (segment == segments_.size()) {
      emit();
      return;
    }
    const detail::range alternatives = segments_[segment];
    for (const topic_part& part : table_.parts.subspan(alternatives.first, alternatives.count)) {
      if (part.kind == topic_part_kind::skip) {
        expand(segment + 1);
        continue;
      }
      const record& latest = event_.after ? event_.after : event_.before;
      const bool has_two = info_.previous_values && event_.before && event_.after && depends_on_row(part);
      if (has_two) with(part, event_.before, segment);
      if (!has_two || differs(part)) with(part, latest, segment);
    }
  }

  void with(const topic_part& part, const record& row, std::size_t segment) {
    const std::size_t length = topic_.size();
    if (length != 0) topic_.push_back(delimiter_);
    if (append(part, row)) expand(segment + 1);
    topic_.resize(length);
  }

  static bool depends_on_row(const topic_part& part) {
    return part.kind == topic_part_kind::attribute || part.kind == topic_part_kind::function;
  }
  bool differs(const topic_part& part) const {
    return part.kind == topic_part_kind::function || (event_.changed & detail::bit(part.attribute)) != 0;
  }

  /// False when the part has no value.
  bool append(const topic_part& part, const record& row) {
    const std::size_t begin = topic_.size();
    switch (part.kind) {
      case topic_part_kind::literal: topic_.append(part.literal); return true;
      case topic_part_kind::attribute: {
        const value_view held = row.get(part.attribute);
        if (held.is_null()) return false;
        append_value(held, delimiter_, false, topic_);
        return true;
      }
      case topic_part_kind::primary_key:
        for (std::size_t i = 0; i < event_.key.size(); ++i) {
          if (i != 0) topic_.push_back('-');
          append_value(event_.key[i], delimiter_, event_.key.size() > 1, topic_);
        }
        return true;
      case topic_part_kind::tenant:
        if (event_.tenant.empty()) return false;
        topic_.append(event_.tenant);
        escape_from(begin, delimiter_, false, topic_);
        return true;
      case topic_part_kind::function:
        part.append(row.row(), topic_);
        if (topic_.size() == begin) return false;
        escape_from(begin, delimiter_, false, topic_);
        return true;
      case topic_part_kind::skip: return false;
    }
    return false;
  }

  void emit() {
    if (topic_.empty()) return;  // no prefix, and every segment skipped
    if (topic_.size() > max_topic_bytes)
      throw std::length_error{"the topic has " + std::to_string(topic_.size()) + " bytes; wanted: at most 1024"};
    for (std::size_t i = first_route_; i < into_.size(); ++i) {
      if (into_[i].topic == topic_) return;
    }
    into_.push_back({topic_, publication_});
  }

  event_record& event_;
  const resource_table& table_;
  const publication_info& info_;
  std::uint16_t publication_;
  std::vector<event_record::route>& into_;
  std::size_t first_route_;
  std::span<const detail::range> segments_;
  char delimiter_;
  std::string& topic_;
};

/// An upsert that found its row is an update.
op what_happened(const event_record& event) {
  switch (event.kind) {
    case event_kind::created: return op::create;
    case event_kind::updated: return op::update;
    case event_kind::destroyed: return op::destroy;
    case event_kind::unchanged: break;
  }
  return event.action_info().kind;
}

}  // namespace

bool detail::concerns(const publication_info& info, const event_record& event) {
  if (!info.all) return info.action == event.action;
  return info.kind == what_happened(event) && (info.except & (std::uint64_t{1} << event.action)) == 0;
}

void expand_topics(const std::shared_ptr<event_record>& event) {
  std::string buffer;
  const auto publications = event->resource->publications;
  for (std::size_t i = 0; i < publications.size(); ++i) {
    if (!detail::concerns(publications[i], *event)) continue;
    const auto number = static_cast<std::uint16_t>(i);
    try {
      if (publications[i].filter != nullptr && !publications[i].filter(event)) {
        event->filtered |= std::uint64_t{1} << i;
        continue;
      }
      expansion{*event, number, buffer}.run();
    } catch (const std::exception& why) {
      event->failed.push_back({number, why.what()});
    } catch (...) {
      event->failed.push_back({number, "something that is no std::exception"});
    }
  }
}

void append_segment(const value_view& from, char delimiter, std::string& out) {
  append_value(from, delimiter, false, out);
}

}  // namespace herald
