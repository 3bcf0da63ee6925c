#pragma once
// The problem: whoever shows who is here needs a list that follows the changes, and must neither count twice what its list
// and its first events both say, nor go on with a list that has missed one. A view is that list.
//
//   watcher(herald::context& self, args a) : online_{self, "online"} {
//     herald::subscribe(self, online_, "room:1");           // first
//     view_.sync(online_.list("room:1").value());           // then
//   }
//   void on(const herald::presence_diff<device>& d) {
//     if (!view_.apply(d)) view_.sync(online_.list(d.topic).value());      // events were lost on the way
//   }
//
// Thread safety: none; it belongs to one process. The idea: the Presence object of Phoenix's JavaScript client.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <herald/presence.hpp>

namespace herald {

template <class Meta>
class presence_view {
 public:
  using groups = std::map<std::string, std::vector<present<Meta>>, std::less<>>;

  /// The view is what the list says, whatever it was.
  void sync(const presence_list<Meta>& list) {
    keys_.clear();
    size_ = 0;
    version_ = list.version;
    for (const auto& e : list) add(e);
  }
  /// Follows one change; one that the view knows already changes nothing. False: changes before it are missing, and the view
  /// stays as it was until it is synced.
  [[nodiscard]] bool apply(const presence_diff<Meta>& d) {
    if (d.version <= version_) return true;
    if (d.after == 0) {
      keys_.clear();  // nobody was there before it
      size_ = 0;
    } else if (d.after > version_) {
      return false;
    }
    for (const auto& e : d.leaves) take(*e);
    for (const auto& e : d.joins) add(e);
    version_ = d.version;
    return true;
  }

  [[nodiscard]] const groups& keys() const noexcept { return keys_; }
  /// Null: nobody is there under this key.
  [[nodiscard]] const std::vector<present<Meta>>* find(std::string_view key) const {
    const auto found = keys_.find(key);
    return found != keys_.end() ? &found->second : nullptr;
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::uint64_t version() const noexcept { return version_; }

 private:
  void add(const present<Meta>& e) {
    keys_[e->key].push_back(e);
    ++size_;
  }
  void take(const presence_entry<Meta>& gone) {
    const auto found = keys_.find(gone.key);
    if (found == keys_.end()) return;
    size_ -= std::erase_if(found->second, [&](const auto& e) { return e->ref == gone.ref; });
    if (found->second.empty()) keys_.erase(found);
  }
  groups keys_;
  std::size_t size_ = 0;
  std::uint64_t version_ = 0;
};

}  // namespace herald
