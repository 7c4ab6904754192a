//! One suite for every method of `Store`, run on every engine: whatever one of them answers, the others answer too.
#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

/// Asserts that a value has a certain form.
macro_rules! assert_matches {
    (@) => { "" };
    (@ $($text:tt)+) => { format_args!($($text)+) };
    ($value:expr, $form:pat $(, $($text:tt)+)?) => {
        match $value {
            $form => {}
            other => panic!("{other:?} is not {} {}", stringify!($form), assert_matches!(@ $($($text)+)?)),
        }
    };
}

mod counts;
mod customer;
mod customer_group;
mod database;
mod faults;
mod filter;
mod import;
mod list;
mod login;
mod membership;
mod model;
mod observe;
mod postgres_counts;
mod postgres_medusa;
mod postgres_schema;
mod postgres_server;
mod replicas;
mod round_trips;
mod schema;
mod selection;
mod shop;
mod sqlite_file;
mod streaming;
mod user;

/// A test for each case.
macro_rules! cases {
    ($engine:ident $($module:ident { $($case:ident)+ })+) => {
        mod $engine {
            $(mod $module {
                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $case() {
                        let database = crate::database::Database::$engine().await;
                        crate::$module::$case(database).await;
                    }
                )+
            })+
        }
    };
}

/// Runs every case on the engine whose throw-away database `Database::$engine` makes.
macro_rules! run_on {
    ($engine:ident) => {
        cases! { $engine
            customer_group {
                a_new_group_is_answered_in_the_order_of_medusa
                a_group_without_metadata_has_null
                ids_of_one_moment_ascend
                a_taken_name_is_refused
                names_that_differ_in_case_are_two
                the_name_of_a_deleted_group_is_free
                the_name_of_a_soft_deleted_group_is_free
                a_group_that_is_not_there_is_none
                a_soft_deleted_group_is_not_deleted_for_good
                a_new_name_moves_the_time_of_the_last_change
                the_same_values_again_leave_the_time_of_the_last_change
                metadata_is_merged_one_level_deep
                changing_no_metadata_into_some_is_a_change
                metadata_that_is_no_object_becomes_one
                a_null_name_is_refused_and_nothing_saved
                a_name_taken_by_another_is_refused_and_nothing_saved
                an_update_answers_what_was_asked_for
                deleting_is_idempotent
                deleting_removes_memberships_and_links_of_this_group_alone
                names_of_any_text_are_kept
            }
            membership {
                adding_and_removing_answer_the_group
                adding_twice_is_no_fault
                a_customer_is_in_many_groups
                unknown_customers_are_all_named_and_nobody_is_added
                an_unknown_group_is_none_before_anything_else
                an_empty_list_changes_nothing
                removing_passes_over_those_that_are_no_members
                members_come_and_go_without_a_change_of_the_group
                a_soft_deleted_customer_may_be_added_but_is_not_shown
                a_hundred_thousand_customers_go_in_one_call
            }
            customer {
                a_new_customer_is_answered_in_the_order_of_medusa
                a_customer_without_a_password_is_a_guest
                an_address_is_taken_once_by_an_account_and_once_by_a_guest
                the_address_of_a_soft_deleted_customer_is_free
                a_customer_that_is_not_there_is_none
                every_field_of_a_guest_can_be_changed
                each_change_moves_the_time_of_the_last_change
                the_address_of_an_account_stays
                a_null_address_is_refused_and_nothing_saved
                an_address_taken_by_another_is_refused_and_nothing_saved
                a_guest_may_take_the_address_of_an_account
                groups_are_set_as_a_whole
                absent_groups_stay
                the_first_unknown_group_is_named_and_nothing_saved
                a_group_named_twice_is_refused_unless_the_customer_is_in_it
                an_update_answers_what_was_asked_for
                no_password_leaves_the_store
            }
            user {
                a_new_user_is_answered_without_secrets
                each_role_is_kept
                a_taken_address_is_refused_in_any_case
                the_first_user_is_made_once
                users_are_listed_the_oldest_first
                a_user_that_is_not_there_is_none
                a_user_signs_in_with_a_password
                a_password_that_has_changed_meanwhile_is_not_replaced
                a_user_is_found_by_each_token
                a_users_plain_token_of_medusa_is_honoured
                a_session_lasts_until_it_expires
                a_closed_session_is_gone
                a_deleted_user_is_out_in_every_way
                a_new_password_closes_the_sessions
                tokens_are_listed_and_revoked
                expired_sessions_are_forgotten_when_one_is_opened
                a_session_needs_its_user
                a_secret_is_kept_from_its_first_use
            }
            login {
                logins_are_listed_the_latest_first
                old_logins_are_forgotten_a_few_at_a_time
            }
            counts {
                counts_follow_every_write
                a_group_says_how_many_members_it_has
                what_is_near_the_end_is_the_end_of_the_whole
                members_are_found_wherever_they_are_among_the_customers
            }
            observe {
                who_observes_is_told_of_all_work
                totals_and_load_are_told
            }
            list {
                customers_come_in_every_order
                a_list_goes_on_behind_a_cursor_whatever_comes_and_goes
                a_cursor_is_of_one_list
                groups_come_in_every_order
                only_plain_columns_have_an_order
                a_window_shows_a_part_and_counts_all
                an_empty_store_has_empty_lists
                the_count_is_of_the_same_moment_as_the_page
                what_is_written_while_a_list_is_read_is_not_in_it
            }
            filter {
                q_finds_a_part_of_a_groups_name
                q_counts_all_groups_that_it_finds
                q_folds_case_character_by_character
                q_follows_every_write
                q_is_literal
                q_finds_customers_by_address_and_names
                names_are_exact
                ids_are_one_of_many
                ids_compare_by_code_points
                times_are_compared_to_the_microsecond
                a_discount_condition_names_groups
                customers_of_several_groups_come_once
                the_groups_shown_are_those_asked_for
                a_soft_deleted_group_has_no_members
                an_account_is_asked_for_or_not
                soft_deleted_rows_are_in_no_list
                filters_of_groups_hold_together
                filters_of_customers_hold_together
            }
            selection {
                the_columns_of_medusa_are_shown
                chosen_columns_come_in_the_order_of_medusa
                every_relation_of_a_group_is_shown
                every_relation_of_a_customer_is_shown
                a_column_of_a_relation_comes_with_the_id
                a_relation_named_twice_is_shown_once
                unknown_names_are_refused
                a_refused_name_leaves_the_selection_as_it_was
                relations_go_two_deep
                columns_that_a_shop_has_added_are_shown_and_kept
                an_added_column_can_be_asked_for_ordered_by_and_imported
                a_page_of_members_shows_their_relations
                orders_are_shown_where_medusa_has_them
            }
            streaming {
                a_stream_is_the_same_text_as_the_whole
                small_answers_come_whole
                no_piece_grows_with_the_answer
                a_stream_that_has_ended_stays_ended
                a_reader_that_goes_away_ends_the_work
                a_caller_that_goes_away_leaves_the_store_working
                a_slow_reader_gets_a_fault_and_makes_room
                a_steady_reader_may_take_longer_than_the_timeout
                too_many_streams_are_refused
                a_stream_holds_up_neither_reads_nor_writes
                a_stream_outlives_the_closing_of_the_store
            }
            import {
                rows_are_kept_as_they_are
                tables_may_come_in_any_order
                metadata_may_be_any_json
                a_row_that_does_not_fit_is_refused_and_so_are_the_others
                the_refusal_says_which_row
                a_refused_import_leaves_what_is_written_beside_it
                references_are_watched_beside_an_import
            }
            faults {
                an_open_store_gives_a_sign_of_life
                a_closed_store_answers_nothing
                closing_finishes_what_is_being_written
                a_dropped_store_leaves_everything_in_order
                everyone_of_many_writers_is_answered_and_kept
                one_that_is_refused_leaves_those_beside_it
                a_write_whose_caller_goes_away_is_done_whole_or_not_at_all
                two_stores_share_a_database
                many_may_open_a_new_database_at_once
                opening_again_changes_nothing
                a_caller_reads_what_it_has_written
                a_missing_column_is_named
                the_schema_of_a_newer_stheno_is_refused
            }
            schema {
                a_new_database_is_made_as_was_said_before
                a_store_may_be_opened_without_migrating
                looking_changes_nothing
                the_schema_of_a_newer_stheno_is_not_looked_into
            }
            model {
                random_calls_end_as_in_a_model
                customers_are_listed_as_in_a_model
                any_metadata_is_answered_as_it_came
            }
        }
    };
}

run_on!(sqlite);
run_on!(postgres);

// What a pooler could break: statements and settings that outlive a transaction, locks, cursors, many at once.
cases! { pgbouncer
    customer_group {
        a_new_group_is_answered_in_the_order_of_medusa
        a_taken_name_is_refused
        metadata_is_merged_one_level_deep
        an_update_answers_what_was_asked_for
        deleting_removes_memberships_and_links_of_this_group_alone
    }
    membership {
        adding_and_removing_answer_the_group
        unknown_customers_are_all_named_and_nobody_is_added
    }
    customer {
        a_new_customer_is_answered_in_the_order_of_medusa
        every_field_of_a_guest_can_be_changed
        groups_are_set_as_a_whole
    }
    user {
        a_new_user_is_answered_without_secrets
        each_role_is_kept
        the_first_user_is_made_once
        users_are_listed_the_oldest_first
        a_user_signs_in_with_a_password
        a_user_is_found_by_each_token
        a_session_lasts_until_it_expires
        a_secret_is_kept_from_its_first_use
    }
    login {
        logins_are_listed_the_latest_first
        old_logins_are_forgotten_a_few_at_a_time
    }
    list {
        groups_come_in_every_order
        a_window_shows_a_part_and_counts_all
        the_count_is_of_the_same_moment_as_the_page
        what_is_written_while_a_list_is_read_is_not_in_it
    }
    filter {
        q_finds_customers_by_address_and_names
        filters_of_groups_hold_together
        filters_of_customers_hold_together
    }
    selection {
        every_relation_of_a_group_is_shown
        every_relation_of_a_customer_is_shown
        relations_go_two_deep
        columns_that_a_shop_has_added_are_shown_and_kept
        a_page_of_members_shows_their_relations
    }
    streaming {
        a_stream_is_the_same_text_as_the_whole
        a_reader_that_goes_away_ends_the_work
        a_caller_that_goes_away_leaves_the_store_working
        a_stream_holds_up_neither_reads_nor_writes
        a_stream_outlives_the_closing_of_the_store
    }
    import {
        rows_are_kept_as_they_are
        a_row_that_does_not_fit_is_refused_and_so_are_the_others
        references_are_watched_beside_an_import
    }
    faults {
        an_open_store_gives_a_sign_of_life
        a_closed_store_answers_nothing
        closing_finishes_what_is_being_written
        everyone_of_many_writers_is_answered_and_kept
        one_that_is_refused_leaves_those_beside_it
        a_write_whose_caller_goes_away_is_done_whole_or_not_at_all
        two_stores_share_a_database
        many_may_open_a_new_database_at_once
        opening_again_changes_nothing
        a_missing_column_is_named
        the_schema_of_a_newer_stheno_is_refused
    }
    model {
        random_calls_end_as_in_a_model
    }
}

/// Engines drift apart where no case looks: so each method of the store has one.
#[test]
fn every_method_of_the_store_has_a_case() {
    let cases = [
        include_str!("customer.rs"),
        include_str!("customer_group.rs"),
        include_str!("faults.rs"),
        include_str!("import.rs"),
        include_str!("list.rs"),
        include_str!("login.rs"),
        include_str!("membership.rs"),
        include_str!("observe.rs"),
        include_str!("selection.rs"),
        include_str!("shop.rs"),
        include_str!("user.rs"),
    ]
    .concat();
    let called: String = cases.split_whitespace().collect();
    let store = include_str!("../../src/lib.rs");
    let (_, methods) = store.split_once("impl Store {").unwrap();
    let mut seen = 0;
    for line in methods.lines() {
        let Some((_, signature)) = line.split_once("    pub ").filter(|(before, _)| before.is_empty()) else {
            continue;
        };
        let (_, name) = signature.split_once("fn ").unwrap();
        let (name, _) = name.split_once('(').unwrap();
        let call = if name == "open" { "Store::open(".to_owned() } else { format!(".{name}(") };
        assert!(called.contains(&call), "no case calls {name}");
        seen += 1;
    }
    assert!(seen > 25, "the methods were not found");
}
