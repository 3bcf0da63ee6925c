#pragma once
// The problem: a mistake in a description must be told in words by a C++20 compiler that can only say "not constant".
// Each rule is a function that is NOT constexpr on purpose: a description that breaks the rule calls it while it is being
// computed by the compiler, and the compiler's first error (g++) or its first note (clang) quotes the function's name.
// They are never called at run time.

namespace herald::rule {

inline void a_resource_needs_a_name_of_letters_digits_and_underscores() {}
inline void a_resource_needs_a_primary_key() {}
inline void a_resource_has_at_most_64_attributes() {}
inline void a_resource_has_at_most_64_actions() {}
inline void a_schema_version_begins_at_1() {}

inline void an_attribute_is_declared_twice() {}
inline void two_attributes_have_the_same_column() {}
inline void a_column_needs_a_name_of_letters_digits_and_underscores() {}
inline void an_attribute_option_is_given_twice() {}
inline void an_attribute_is_filled_in_by_uuid_v7_or_generated_or_a_timestamp_or_a_lock_or_the_tenant_and_only_one_of_them() {}
inline void a_primary_key_must_not_be_nullable() {}
inline void a_primary_key_must_not_be_sensitive() {}
inline void a_generated_integer_must_be_the_only_primary_key() {}
inline void a_resource_has_at_most_one_optimistic_lock() {}
inline void a_resource_has_at_most_one_inserted_at_and_one_updated_at() {}
inline void min_and_max_need_a_bound_of_the_attributes_own_type() {}
inline void one_of_needs_values_of_the_attributes_own_type() {}
inline void this_text_is_no_name_of_the_enumeration() {}
inline void a_default_value_must_have_the_attributes_own_type() {}
inline void an_attribute_has_a_default_or_is_required_but_not_both() {}
inline void a_length_must_not_be_negative() {}

inline void a_field_of_a_struct_is_no_key_and_nothing_the_engine_fills_in() {}
inline void a_field_of_a_struct_takes_constraints_and_sensitive_and_was_only() {}

inline void an_identity_names_a_list_a_map_or_a_struct() {}
inline void an_identity_needs_a_name() {}
inline void an_identity_is_declared_twice() {}
inline void an_identity_names_an_attribute_the_resource_does_not_have() {}

inline void an_action_needs_a_name_without_spaces_or_control_characters() {}
inline void an_action_is_declared_twice() {}
inline void accepts_names_an_attribute_the_resource_does_not_have() {}
inline void accepts_names_an_attribute_that_the_engine_fills_in() {}
inline void accepts_names_a_primary_key_in_an_update() {}
inline void a_destroy_accepts_nothing() {}
inline void require_names_an_attribute_the_resource_does_not_have() {}
inline void require_names_an_attribute_the_action_does_not_accept() {}

inline void an_action_has_at_most_64_arguments() {}
inline void an_argument_is_declared_twice() {}
inline void an_argument_has_the_name_of_an_attribute() {}
inline void an_upsert_belongs_to_a_create() {}
inline void an_upsert_is_declared_twice() {}
inline void an_upsert_names_an_identity_the_resource_does_not_have() {}
inline void an_upsert_names_an_attribute_the_resource_does_not_have() {}
inline void an_upsert_replaces_a_primary_key_or_what_the_engine_fills_in() {}
inline void soft_belongs_to_a_destroy() {}
inline void a_soft_destroy_needs_a_change_that_marks_the_row() {}
inline void transitions_need_values_of_the_attributes_own_type() {}
inline void transitions_are_declared_twice() {}
inline void a_resource_has_at_most_one_tenant() {}
inline void authorise_is_declared_twice() {}

inline void on_destroy_belongs_to_belongs_to() {}
inline void on_destroy_names_an_action_the_resource_does_not_have() {}
inline void on_destroy_names_a_create() {}
inline void belongs_to_itself_needs_one_key_of_the_same_type() {}

inline void publish_names_an_action_the_resource_does_not_have() {}
inline void except_names_an_action_the_resource_does_not_have() {}
inline void except_names_an_action_of_another_kind() {}
inline void except_belongs_to_publish_all() {}
inline void an_event_needs_a_name() {}
inline void a_bus_needs_a_name() {}
inline void a_resource_has_at_most_64_publications() {}
inline void a_manual_action_is_declared_twice() {}
inline void a_manual_action_is_no_upsert_and_not_soft() {}
inline void a_publication_option_is_given_twice() {}
inline void pub_sub_is_declared_twice() {}
inline void a_publication_has_at_most_1024_combinations_of_alternatives() {}
inline void a_topic_names_an_attribute_the_resource_does_not_have() {}
inline void a_topic_must_not_show_a_sensitive_attribute() {}
inline void a_topic_without_a_prefix_needs_a_segment() {}
inline void a_topic_segment_must_not_be_empty() {}
inline void a_topic_segment_must_not_contain_the_delimiter() {}
inline void a_topic_segment_must_not_contain_a_wildcard_or_a_percent_sign() {}
inline void a_topic_segment_must_not_contain_control_characters() {}
inline void a_delimiter_is_one_printable_character_that_is_neither_letter_nor_digit_nor_percent_nor_star() {}

}  // namespace herald::rule
