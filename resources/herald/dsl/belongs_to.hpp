#pragma once
// The words that tie rows of two resources together:
//
//   attribute<&Ticket::team_id>(belongs_to<teams>)                       // no team is destroyed while it has tickets
//   attribute<&Ticket::team_id>(belongs_to<teams>, on_destroy{"drop"})   // its tickets are dropped first, each by that action
//   attribute<&Node::parent_id>(belongs_to_itself)
//
// The attribute has the type of the other resource's primary key, which is one attribute; a null belongs to nobody. A value
// that no row has is an error of the field ("does not exist"), as is another tenant's row. The store keeps an index on it.
// A destroy runs the action named by on_destroy, a destroy or an update that lets go, on every row that belongs to it, with
// its events; then, and without on_destroy at once, rows that still belong to it refuse the destroy. Soft destroys touch
// nobody. Both resources must be in one store.
//
// The engine keeps these rules, not the database: a cascade in the database would tell nobody.
//
// Thread safety: constants. Errors: compile errors that name the rule; a row that is not there, or that is still belonged to, is an
// error of the field.

#include <herald/dsl/attribute.hpp>
#include <herald/table_of.hpp>

namespace herald::detail {

template <const auto& R>
const resource_table& table_that() {
  return table_of<R>;
}

template <const auto& R>
struct belongs_to_option {
  template <class Reader>
  constexpr void apply(Reader& reader) const {
    static_assert(R.keys == 1, "herald: belongs_to needs a resource whose primary key is one attribute");
    static_assert(R.attributes[R.key[0]].ops->type == Reader::type,
                  "herald: belongs_to needs an attribute of the type of the other resource's primary key");
    reader.once(reader.refers);
    reader.info.references = &table_that<R>;
  }
};

struct belongs_to_itself_option {
  template <class Reader>
  constexpr void apply(Reader& reader) const {
    reader.once(reader.refers);
    reader.info.refers_to_itself = true;
  }
};

}  // namespace herald::detail

namespace herald::dsl {

template <const auto& Resource>
inline constexpr detail::belongs_to_option<Resource> belongs_to{};
inline constexpr detail::belongs_to_itself_option belongs_to_itself{};

/// The action of this resource that a row gets when what it belongs to is destroyed.
struct on_destroy {
  std::string_view action;
  template <class Reader>
  constexpr void apply(Reader& reader) const {
    reader.info.on_destroy = action;
  }
};

}  // namespace herald::dsl
