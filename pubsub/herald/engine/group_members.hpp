#pragma once
// The members of one group of competing consumers (group_policy.hpp). A group is a topic record of its own, with the
// topic's or pattern's name and its own, and is found by publishers as patterns are; it goes through this instead of to
// all seats.
//
// Thread safety: all, under one mutex; a publisher holds it while it picks. Members join and leave from their hosts. What is
// done for each event, and for each member that comes or goes, costs the same in a group of any size while its members are up.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <herald/engine/cell.hpp>
#include <herald/engine/published.hpp>
#include <herald/group_policy.hpp>

namespace herald::engine {

struct seat;

struct group_member {
  cell* who;
  seat* at;                  ///< with `id` and `generation` it says which subscription
  std::uint32_t id;          ///< of the subscription in its host's table
  std::uint32_t generation;  ///< of that
};

class group_members {
 public:
  /// What is wrong with joining under this policy and for this type, if anything.
  [[nodiscard]] std::optional<std::string> refuses(const group_policy& policy, const type_tag& type);
  /// Up: it takes events. One that is not stands in a restart.
  void join(const group_member& m, const group_policy& policy, const type_tag& type, bool up);
  void leave(const group_member& m) noexcept;
  void set_up(const group_member& m, bool up) noexcept;
  /// Whose turn it is for this event, if not `but`'s. Counts it as under way.
  [[nodiscard]] std::optional<group_member> pick(const published& event, const cell* but);
  /// It is not under way any more.
  void arrived(const group_member& m) noexcept;
  [[nodiscard]] std::size_t size();

 private:
  struct seated {
    group_member member;
    std::uint32_t under_way = 0;
    bool up = true;
  };
  /// A host has one subscription of a number at a time.
  struct place {
    const seat* at;
    std::uint32_t id;
    friend bool operator==(const place&, const place&) = default;
  };
  struct place_hash {
    [[nodiscard]] std::size_t operator()(const place& p) const noexcept {
      return (reinterpret_cast<std::uintptr_t>(p.at) >> 4 ^ std::uintptr_t{p.id} << 20) * 0x9e3779b97f4a7c15u >> 16;
    }
  };
  [[nodiscard]] seated* find(const group_member& m) noexcept;
  [[nodiscard]] std::size_t first_choice(const published& event) noexcept;
  [[nodiscard]] std::size_t least_loaded() noexcept;

  std::mutex mutex_;
  std::vector<seated> all_;
  std::unordered_map<place, std::size_t, place_hash> where_;  ///< each one's index in all_
  std::uint64_t next_ = 0;
  group_policy policy_;
  const type_tag* type_ = nullptr;
};

}  // namespace herald::engine
