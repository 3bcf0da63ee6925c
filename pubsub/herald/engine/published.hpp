#pragma once
// An event on its way to its subscribers: one object, however many they are; the last one to let go destroys it. Only
// hosts count in `refs`, not subscribers: each host's share is one reference, held by its fan-out (fan_out.hpp).

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include <herald/engine/envelope.hpp>
#include <herald/engine/fwd.hpp>

namespace herald::engine {

class pattern_routes;
class topic_record;
struct published_extra;

/// What is done with an event whose type only the publisher knew.
struct published_ops {
  const type_tag* type;
  const envelope_ops* entry;  ///< of the event waiting in one subscriber's mailbox
  const envelope_ops* value;  ///< of the token for the values of a conflating subscription there
  void (*destroy)(struct published* event) noexcept;
};

struct published {
  published(const published_ops& operations, const void* what) noexcept : ops{&operations}, payload{what} {}
  published(const published&) = delete;
  published& operator=(const published&) = delete;

  const published_ops* ops;
  const void* payload;
  topic_record* topic = nullptr;  ///< holds a reference of it
  address from;                   ///< the publishing process; no cell: a plain thread
  address except;                 ///< who is left out (broadcast_from)
  pattern_routes* routes = nullptr;  ///< patterns that match the topic, with a reference; null: none
  std::atomic<published_extra*> more{nullptr};  ///< what only few events carry
  std::uint64_t position = 0;  ///< among what its topic keeps: even when it is kept, else behind it; 0: it keeps nothing
  std::atomic<std::uint32_t> refs{1};
  std::uint32_t size = 0;         ///< of its memory, for the pool
};

/// Memory as for message nodes; published_end gives it back.
[[nodiscard]] void* allocate_published(std::size_t size);
void free_published(void* memory, std::size_t size) noexcept;
/// Lets go of `count` references.
void release(published* event, std::uint32_t count = 1) noexcept;

// The event in a mailbox: the same functions for every type, a table of their own for its tag (reports, poison rule).
void run_entry(envelope* e, cell* to, frame& by);
void finish_entry(envelope* e, frame& by, const exit_reason* crash) noexcept;
void discard_entry(envelope* e, discard_reason why, const exit_reason* because) noexcept;
void run_value(envelope* e, cell* to, frame& by);
void finish_value(envelope* e, frame& by, const exit_reason* crash) noexcept;
void discard_value(envelope* e, discard_reason why, const exit_reason* because) noexcept;
// The event in hand once more, for the stash.
[[nodiscard]] envelope* box_entry(const envelope& in_hand, cell& c, frame& by);
[[nodiscard]] envelope* box_value(const envelope& in_hand, cell& c, frame& by);

template <class E>
inline constexpr envelope_ops entry_ops_of{run_entry, finish_entry, discard_entry, nullptr, &tag_of<E>,
                                           envelope_kind::event, true, box_entry};
template <class E>
inline constexpr envelope_ops value_ops_of{run_value, finish_value, discard_value, nullptr, &tag_of<E>,
                                           envelope_kind::event, true, box_value};

template <class E>
struct published_as final : published {
  explicit published_as(E&& e) : published{ops_, &value}, value(std::move(e)) { size = sizeof(published_as); }
  E value;

 private:
  static void destroy(published* event) noexcept {
    auto* self = static_cast<published_as*>(event);
    self->~published_as();
    free_published(self, sizeof(published_as));
  }
  static constexpr published_ops ops_{&tag_of<E>, &entry_ops_of<E>, &value_ops_of<E>, destroy};
};

template <class E>
[[nodiscard]] published* make_published(E&& e) {
  static_assert(alignof(E) <= 16, "herald: an event aligned to more than 16 bytes cannot be published");
  auto* memory = allocate_published(sizeof(published_as<E>));
  try {
    return ::new (memory) published_as<E>(std::move(e));
  } catch (...) {
    free_published(memory, sizeof(published_as<E>));
    throw;
  }
}

/// An event whose payload others hold as well (shared_event.hpp).
struct published_shared final : published {
  published_shared(const published_ops& operations, std::shared_ptr<const void> what) noexcept
      : published{operations, what.get()}, kept{std::move(what)} {
    size = sizeof(published_shared);
  }
  std::shared_ptr<const void> kept;
  static void destroy(published* event) noexcept;
};
template <class E>
inline constexpr published_ops shared_ops_of{&tag_of<E>, &entry_ops_of<E>, &value_ops_of<E>,
                                             published_shared::destroy};
[[nodiscard]] published* make_published(const published_ops& operations, std::shared_ptr<const void> payload);

}  // namespace herald::engine
