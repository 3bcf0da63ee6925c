// What may be changed while a supervisor runs: its flags and specs (OTP's code change), and how many partitions it has.

#include <algorithm>
#include <charconv>

#include <herald/engine/child_record.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/operation.hpp>
#include <herald/engine/partition_tables.hpp>

namespace herald::engine {

namespace {

error refused(const std::string& id, const char* why) {
  return {errc::bad_spec, "the definition cannot be changed to this one: " + id + " " + why};
}

/// The cell of a child gets the spec for its next start; what is fixed by its type stays.
void order_spec(address c, std::shared_ptr<const child_spec> spec, frame* owned) {
  post_control(c, owned, [spec = std::move(spec)](cell* to, frame&) mutable {
    to->limit = spec->options.mailbox.when_full == unbounded ? ~std::uint32_t{0} : spec->options.mailbox.limit;
    to->overflow = static_cast<std::uint8_t>(spec->options.mailbox.when_full);
    to->drops_while_ended = spec->options.on_restart == drop;
    to->refuses_calls_while_ended = spec->options.backoff.first.count() > 0;
    if (!to->ops->supervisor) to->args = spec->args;
    to->spec = std::move(spec);
  });
}

}  // namespace

void supervisor_state::change(frame& f, child_spec definition, reply_once<void> reply) {
  if (occupied())
    return put_off(std::move(reply), [this, definition](frame& by, reply_once<void> r) { change(by, definition, std::move(r)); });
  if (definition.id.empty()) definition.id = cell_.spec->id;
  if (definition.tree == nullptr) return reply.answer(refused(definition.id, "is no supervisor"));
  if (const auto ok = check_spec(definition); !ok) return reply.answer(ok.error());
  if (const auto wrong = unchangeable(*definition.tree)) return reply.answer(*wrong);
  spec_ = definition.tree;
  take_over_children(f);
  remember_definition(f);
  reply.answer({});
}

/// What would make it another kind of supervisor, or another process of a child.
std::optional<error> supervisor_state::unchangeable(const supervisor_spec& to) const {
  const auto& self = cell_.spec->id;
  if (to.dynamic != spec_->dynamic) return refused(self, to.dynamic ? "has fixed children" : "is dynamic");
  if (to.partitioned != spec_->partitioned) return refused(self, "cannot become or cease to be a partition supervisor");
  if (to.partitioned && to.children.size() != spec_->children.size()) return refused(self, "has a fixed number of partitions");
  if ((to.pattern == nullptr) != (spec_->pattern == nullptr))
    return refused(self, to.pattern == nullptr ? "has a pattern for its children" : "has no pattern for its children");
  if (to.pattern != nullptr && to.pattern->ops != spec_->pattern->ops)
    return refused(self, "has children of another process type");
  for (const auto& spec : to.children) {
    const auto* known = find(child_key{spec->id});
    if (known == nullptr) continue;
    if (known->spec->ops != spec->ops || known->spec->is_supervisor() != spec->is_supervisor())
      return refused(spec->id, "is of another process type; delete it and start the other one");
    if (known->spec->options.restart == temporary)
      return refused(spec->id, "is temporary: nothing of its spec is kept that could be changed");
  }
  return std::nullopt;
}

void supervisor_state::take_over_children(frame& f) {
  if (spec_->dynamic) {
    // Those that live take the new pattern's options at their next start, and keep their own arguments.
    for (auto* child = first_; spec_->pattern != nullptr && child != nullptr; child = child->following)
      child->spec = spec_->pattern;
    return;
  }
  for (auto* child = first_; child != nullptr; child = child->following) child->at_run_time = true;
  for (const auto& spec : spec_->children) {
    auto* child = find(child_key{spec->id});
    if (child == nullptr) {
      add(spec, false);
      continue;
    }
    child->at_run_time = false;
    child->spec = spec;
    if (child->where.cell != nullptr) order_spec(child->where, spec, &f);
  }
}

/// The next life, and whoever asks the parent for our spec, shall find the new definition.
void supervisor_state::remember_definition(frame& f) {
  auto whole = std::make_shared<child_spec>(*cell_.spec);
  whole->tree = spec_;
  cell_.spec = whole;
  if (cell_.parent.cell == nullptr) return;
  post_control(cell_.parent, &f, [whole, cookie = cell_.cookie](cell* parent, frame&) {
    if (parent->state != nullptr) static_cast<child_record*>(cookie)->spec = whole;
  });
}

// --- partitions -------------------------------------------------------------------------------------------------------

namespace {

std::size_t number_of(const child_spec& partition) {
  std::size_t n = 0;
  std::from_chars(partition.id.data(), partition.id.data() + partition.id.size(), n);
  return n;
}

}  // namespace

void supervisor_state::open_partitions() {
  if (!spec_->partitioned || spec_->children.empty()) return;
  const auto& one = *spec_->children.front();
  partitions_ = partition_tables::of(cell_.home->system())
                    .make(core::path_of(cell_), spec_->children.size(), one.is_supervisor() ? &supervisor_ops : one.ops);
  partitions_->resize(spec_->children.size());
}

void supervisor_state::show_partition(const child_record& child) {
  if (partitions_ != nullptr) partitions_->set(number_of(*child.spec), child.where);
}

void supervisor_state::resize(frame& f, std::size_t partitions, reply_once<void> reply) {
  if (partitions_ == nullptr) return reply.answer(error{errc::not_supported, "this is no partition supervisor"});
  if (partitions > partitions_->capacity())
    return reply.answer(error{errc::bad_option, "resize to " + std::to_string(partitions) + " partitions; wanted: 0 to " +
                                                    std::to_string(partitions_->capacity()) + ", as many as it was made with"});
  if (occupied() || resizing_ != nullptr)
    return put_off(std::move(reply), [this, partitions](frame& by, reply_once<void> r) { resize(by, partitions, std::move(r)); });
  resizing_ = std::make_unique<resizing>();
  resizing_->partitions = partitions;
  resizing_->reply = std::move(reply);
  if (partitions < partitions_->count()) partitions_->resize(partitions);  // the keys leave first
  ++resizing_->left;                                                       // until all have been asked
  for (auto* child = last_; child != nullptr; child = child->previous)
    if (number_of(*child->spec) >= partitions) retire(*child, f);
  for (auto* child = first_; child != nullptr; child = child->following) {
    if (number_of(*child->spec) >= partitions || child->phase != child_phase::undefined) continue;
    child->resizing = true;
    ++resizing_->left;
    launch(*child, f);
  }
  one_resized({}, f);
}

void supervisor_state::retire(child_record& child, frame& f) {
  if (child.phase == child_phase::waiting) return call_off(child, f);
  if (!child.alive()) return;
  child.resizing = child.requested = true;
  ++resizing_->left;
  if (child.phase != child_phase::stopping) ask_to_stop(child, f, false);
}

/// One of those that a resize waits for is where it should be, or failed to start.
void supervisor_state::one_resized(std::optional<error> failed, frame& f) {
  if (failed && !resizing_->failed) resizing_->failed = std::move(failed);
  if (--resizing_->left > 0) return;
  const auto done = std::move(resizing_);
  if (done->failed) {
    done->reply.answer(*done->failed);
  } else {
    partitions_->resize(done->partitions);
    done->reply.answer({});
  }
  run_deferred(f);
}

}  // namespace herald::engine
