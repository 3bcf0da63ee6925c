#include <herald/snapshot_text.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

namespace herald {

namespace {

using order_t = text_options::order_t;

std::string number(double n) {
  char text[32];
  constexpr std::array<const char*, 4> units{"", "k", "M", "G"};
  std::size_t unit = 0;
  while (n >= 9999.5 && unit + 1 < units.size()) {
    n /= 1000;
    ++unit;
  }
  std::snprintf(text, sizeof text, unit == 0 || n >= 100 ? "%.0f%s" : "%.1f%s", n, units[unit]);
  return text;
}

/// "shop" of "{anonymous}::shop" and of "a::b::shop"; template arguments stay as they are.
std::string_view short_type(std::string_view type) {
  const auto head = type.substr(0, type.find('<'));
  const auto at = head.rfind("::");
  return at == std::string_view::npos ? type : type.substr(at + 2);
}

/// "w2" before "w10".
bool natural_less(std::string_view a, std::string_view b) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  while (!a.empty() && !b.empty()) {
    if (digit(a.front()) && digit(b.front())) {
      const auto take = [&](std::string_view& s) {
        std::size_t n = 0;
        while (n < s.size() && digit(s[n])) ++n;
        auto run = s.substr(0, n);
        s.remove_prefix(n);
        run.remove_prefix(std::min(run.find_first_not_of('0'), run.size()));
        return run;
      };
      const auto left = take(a), right = take(b);
      if (left.size() != right.size()) return left.size() < right.size();
      if (left != right) return left < right;
      continue;
    }
    if (a.front() != b.front()) return a.front() < b.front();
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  return a.size() < b.size();
}

double figure(const process_row& row, order_t by) {
  switch (by) {
    case order_t::mailbox: return row.mailbox;
    case order_t::rate: return static_cast<double>(row.rate);
    case order_t::handled: return static_cast<double>(row.handled);
    case order_t::memory: return row.memory;
    case order_t::restarts: return row.restarts;
    case order_t::name: break;
  }
  return 0;
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

/// Cells in columns; the first and the last to the left, figures to the right.
class table {
 public:
  explicit table(std::vector<std::string> head) : left_(head.size(), false) {
    left_.front() = left_[1] = left_.back() = true;
    add(std::move(head));
  }
  void add(std::vector<std::string> cells) { lines_.push_back(std::move(cells)); }
  [[nodiscard]] std::string text() const {
    std::vector<std::size_t> widths(left_.size(), 0);
    for (const auto& line : lines_)
      for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width_of(line[i]));
    std::string all;
    for (const auto& line : lines_) {
      std::string one;
      for (std::size_t i = 0; i < line.size(); ++i) {
        const std::string pad(widths[i] - width_of(line[i]), ' ');
        if (i != 0) one += "  ";
        one += left_[i] ? line[i] + pad : pad + line[i];
      }
      one.erase(one.find_last_not_of(' ') + 1);
      all += one + "\n";
    }
    return all;
  }

 private:
  std::vector<bool> left_;
  std::vector<std::vector<std::string>> lines_;
};

std::string handler_text(const running_handler& h) {
  auto text = "in " + std::string{short_type(h.message)};
  if (h.time.count() > 0) text += " for " + std::to_string(h.time.count()) + " ms";
  return text + (h.overran ? "; its host goes on without it" : "");
}

class drawing {
 public:
  drawing(const snapshot& s, const text_options& o) : s_{s}, o_{o}, table_{head()}, children_(s.processes.size()) {
    for (std::uint32_t i = 0; i < s.processes.size(); ++i) {
      const auto parent = s.processes[i].parent;
      (parent == process_row::no_parent ? roots_ : children_[parent]).push_back(i);
    }
  }

  std::string text() {
    if (o_.tree) {
      sort(roots_);
      for (const auto root : roots_) {
        table_.add(cells(root, name(root)));
        branch(root, "");
      }
    } else {
      std::vector<std::uint32_t> all(s_.processes.size());
      for (std::uint32_t i = 0; i < all.size(); ++i) all[i] = i;
      list(all);
    }
    return attention() + table_.text();
  }

 private:
  std::vector<std::string> head() const {
    std::vector<std::string> all{"PROCESS", "STATE", "MAILBOX", "HANDLED", "RATE/S", "RESTARTS", "HOST"};
    if (o_.memory) all.emplace_back("MEMORY");
    all.emplace_back("TYPE");
    return all;
  }
  std::vector<std::string> cells(std::uint32_t i, std::string shown) const {
    const auto& row = s_.processes[i];
    std::vector<std::string> all{std::move(shown),
                                 std::string{name_of(row.state)},
                                 number(row.mailbox),
                                 number(static_cast<double>(row.handled)),
                                 row.rate > 0 ? number(static_cast<double>(row.rate)) : "-",
                                 number(row.restarts),
                                 std::to_string(s_.hosts[row.host].number) + (row.own_thread ? "*" : "")};
    if (o_.memory) all.push_back(number(row.memory));
    all.emplace_back(row.supervisor ? "supervisor" : short_type(row.type));
    return all;
  }
  std::string name(std::uint32_t i) const {
    const auto& row = s_.processes[i];
    auto text = s_.id(row).empty() ? "#" + std::to_string(i) : std::string{s_.id(row)};
    if (!s_.label(row).empty()) text += " (" + std::string{s_.label(row)} + ")";
    return text;
  }
  std::string path(std::uint32_t i) const {
    const auto& row = s_.processes[i];
    auto text = s_.path(row);
    return text.empty() ? name(i) : text;
  }

  void sort(std::vector<std::uint32_t>& rows, std::size_t first = ~std::size_t{0}) const {
    const auto before = [&](std::uint32_t a, std::uint32_t b) {
      const auto &left = s_.processes[a], &right = s_.processes[b];
      const auto l = figure(left, o_.order), r = figure(right, o_.order);
      if (l != r) return l > r;
      const auto left_id = s_.id(left), right_id = s_.id(right);
      if (left_id != right_id) return natural_less(left_id, right_id);
      return a < b;
    };
    const auto end = rows.begin() + static_cast<std::ptrdiff_t>(std::min(first, rows.size()));
    std::partial_sort(rows.begin(), end, rows.end(), before);
  }

  /// What is not shown of many, in one line.
  std::string rest_of(const std::vector<std::uint32_t>& rows, std::size_t shown) const {
    std::uint64_t waiting = 0;
    for (auto i = shown; i < rows.size(); ++i) waiting += s_.processes[rows[i]].mailbox;
    return "... " + std::to_string(rows.size() - shown) + " more" +
           (waiting != 0 ? ", " + number(static_cast<double>(waiting)) + " waiting" : "");
  }

  void branch(std::uint32_t parent, const std::string& indent) {
    auto& rows = children_[parent];
    const auto shown = std::min(o_.rows, rows.size());
    sort(rows, shown);
    for (std::size_t i = 0; i < shown; ++i) {
      const bool last = i + 1 == rows.size();
      table_.add(cells(rows[i], indent + (last ? corner() : tee()) + name(rows[i])));
      branch(rows[i], indent + (last ? "   " : bar()));
    }
    if (shown < rows.size()) table_.add({indent + corner() + rest_of(rows, shown)});
  }
  void list(std::vector<std::uint32_t>& rows) {
    const auto shown = std::min(o_.rows, rows.size());
    sort(rows, shown);
    for (std::size_t i = 0; i < shown; ++i) table_.add(cells(rows[i], path(rows[i])));
    if (shown < rows.size()) table_.add({rest_of(rows, shown)});
  }

  std::string attention() const {
    std::string text;
    for (const auto& h : s_.running)
      text += "! " + path(h.process) + (h.overran ? " is stuck " : " is busy ") + handler_text(h) + "\n";
    for (const auto& z : s_.zombies) text += "! " + z + " is a zombie: it was killed, and its handler runs on\n";
    for (const auto& h : s_.hosts)
      if (!h.answered) text += "! host " + std::to_string(h.number) + " did not answer; " + number(h.inbox) + " messages wait for it\n";
    std::vector<std::uint32_t> full;
    for (std::uint32_t i = 0; i < s_.processes.size(); ++i)
      if (s_.processes[i].mailbox != 0) full.push_back(i);
    const auto shown = std::min(o_.flooded, full.size());
    std::partial_sort(full.begin(), full.begin() + static_cast<std::ptrdiff_t>(shown), full.end(), [&](auto a, auto b) {
      const auto l = s_.processes[a].mailbox, r = s_.processes[b].mailbox;
      return l != r ? l > r : a < b;
    });
    for (std::size_t i = 0; i < shown; ++i) {
      const auto& row = s_.processes[full[i]];
      text += "> " + path(full[i]) + " has " + number(row.mailbox) + " waiting" +
              (row.dropped != 0 ? ", " + number(row.dropped) + " dropped" : "") + "\n";
    }
    return text.empty() ? text : text + "\n";
  }

  [[nodiscard]] std::string corner() const { return o_.ascii ? "`- " : "└─ "; }
  [[nodiscard]] std::string tee() const { return o_.ascii ? "|- " : "├─ "; }
  [[nodiscard]] std::string bar() const { return o_.ascii ? "|  " : "│  "; }

  const snapshot& s_;
  const text_options& o_;
  table table_;
  std::vector<std::vector<std::uint32_t>> children_;
  std::vector<std::uint32_t> roots_;
};

void line(std::string& text, std::string_view key, const std::string& value) {
  text += "  " + std::string{key} + std::string(key.size() < 10 ? 10 - key.size() : 0, ' ') + value + "\n";
}

}  // namespace

std::string to_text(const snapshot& s, const text_options& options) { return drawing{s, options}.text(); }

std::string to_text(const inspection& i) {
  const auto& row = i.row;
  auto text = (i.path.empty() ? std::string{"(root)"} : i.path) + (i.label.empty() ? "" : " (" + i.label + ")") + ": " +
              std::string{name_of(row.state)} + ", incarnation " + std::to_string(row.incarnation) + ", host " +
              std::to_string(i.host) + (row.own_thread ? " (a thread of its own)" : "") + "\n";
  line(text, "type", row.supervisor ? "supervisor of " + std::to_string(i.children) : std::string{short_type(row.type)});
  if (i.handler) line(text, "busy", handler_text(*i.handler));
  line(text, "handled", std::to_string(row.handled) + ", dropped " + std::to_string(row.dropped) + ", restarts " + std::to_string(row.restarts));
  auto mailbox = std::to_string(row.mailbox);
  for (std::size_t n = 0; n < i.waiting.size(); ++n)
    mailbox += (n == 0 ? ": " : ", ") + std::to_string(i.waiting[n].count) + " x " + std::string{short_type(i.waiting[n].type)};
  if (i.stashed != 0) mailbox += "; stashed: " + std::to_string(i.stashed);
  line(text, "mailbox", mailbox);
  std::string accepts;
  for (const auto& type : i.accepts) accepts += (accepts.empty() ? "" : ", ") + std::string{short_type(type)};
  if (!accepts.empty()) line(text, "accepts", accepts);
  line(text, "has", std::to_string(i.timers) + " timers, " + std::to_string(i.pending_calls) + " calls, " +
                        std::to_string(i.monitors) + " monitors, " + std::to_string(row.subscriptions) +
                        " subscriptions; watched by " + std::to_string(i.watchers));
  for (std::size_t n = 0; n < i.described.size(); ++n)
    line(text, n == 0 ? "says" : "", i.described[n].key + " = " + i.described[n].value);
  if (!i.describe_failed.empty()) line(text, "says", "nothing: describe() threw " + i.describe_failed);
  if (i.from_outside) line(text, "seen", "from outside: its host is busy all the time");
  return text;
}

}  // namespace herald
