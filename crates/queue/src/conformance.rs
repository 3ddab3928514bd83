//! What every queue must do, one function a promise.
//!
//! [`queue_conformance!`](crate::queue_conformance) makes a test of each, so that none can be forgotten.

#![expect(missing_docs, reason = "the name of a promise says it all")]
#![expect(clippy::missing_panics_doc, clippy::unwrap_used, reason = "a broken promise panics")]

mod budgets;
mod caps;
mod claim;
mod control;
mod ending;
mod enqueue;
mod history;
mod input;
mod lease;
mod locks;
mod outlook;
mod watch;
mod workers;

use std::time::Duration;

use serde_json::json;

pub use budgets::*;
pub use caps::*;
pub use claim::*;
pub use control::*;
pub use ending::*;
pub use enqueue::*;
pub use history::*;
pub use input::*;
pub use lease::*;
pub use locks::*;
pub use outlook::*;
pub use watch::*;
pub use workers::*;

use crate::{Budgets, Claim, Control, Inspect, Lease, Locks, NewJob, Queue, Upkeep, Watch};

/// A queue under test, empty to begin with.
pub trait Subject: Queue + Inspect + Control + Locks + Budgets + Upkeep + Watch {
    /// Lets time pass on the clock that the queue reads.
    fn advance(&self, by: Duration);
}

impl Subject for crate::MemoryQueue {
    fn advance(&self, by: Duration) {
        crate::MemoryQueue::advance(self, by);
    }
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl<D: crate::statements::Statements> Subject for crate::DatabaseQueue<D> {
    fn advance(&self, by: Duration) {
        crate::DatabaseQueue::advance(self, by);
    }
}

/// Makes a test of every promise.
///
/// The argument is a future that opens an empty [`Subject`](crate::conformance::Subject), together with whatever has to
/// live as long as the test.
#[macro_export]
macro_rules! queue_conformance {
    ($open:expr) => {
        $crate::queue_conformance! {
            @each $open;
            a_key_is_live_once
            a_key_is_free_again_when_its_job_has_ended
            jobs_without_a_key_are_never_duplicates
            the_same_key_of_another_kind_is_another_job
            a_batch_is_answered_in_the_order_asked
            a_large_batch_is_answered_in_the_order_asked
            many_jobs_are_added_at_once
            a_delayed_job_waits_for_its_time
            a_start_that_has_passed_means_now
            two_batches_in_opposite_order_do_not_block_each_other

            the_highest_priority_goes_first_then_the_oldest
            a_job_is_leased_to_one_worker
            a_claim_takes_no_more_than_its_limit
            other_kinds_are_left_alone
            a_lease_tells_all_about_its_job

            a_lease_that_ran_out_is_taken_back
            a_lost_lease_changes_nothing
            an_extended_lease_holds
            a_lease_that_ran_out_can_be_extended_until_it_is_taken_back
            a_claim_of_the_same_job_has_another_token
            a_crash_counts_apart_from_failures
            the_fifth_crash_ends_a_job
            many_lapsed_leases_are_taken_back_at_once

            a_completed_job_leaves_its_result_and_cost
            a_failed_job_waits_twice_as_long_each_time
            a_failed_job_waits_exactly_as_long_as_asked
            the_last_attempt_ends_a_job
            a_discarded_job_is_not_tried_again
            a_released_job_keeps_its_attempts
            a_snoozed_job_waits_without_using_an_attempt
            a_lost_lease_does_not_disturb_the_others
            a_key_is_spent_by_its_first_use
            what_was_left_undone_goes_back_with_its_parent
            what_was_left_undone_goes_back_once
            nothing_is_left_undone_by_a_lost_lease
            nothing_is_left_undone_by_a_lost_lease_of_a_job_that_is_done
            the_latest_failures_are_listed_first

            tries_that_went_wrong_are_kept
            the_ledger_sums_what_ended_and_what_it_cost
            the_ledger_is_told_in_one_order
            a_job_given_back_is_taken_off_the_failed_ones
            a_job_given_back_is_taken_off_the_hour_that_it_failed_in
            a_try_is_booked_whichever_way_it_ends
            a_lost_lease_books_nothing
            history_is_pruned_but_counts_remember_it
            months_that_have_passed_are_forgotten

            a_waiting_job_is_cancelled_at_once
            a_running_job_is_asked_to_stop
            a_cancelled_job_that_was_done_all_the_same_is_done
            a_cancelled_job_whose_worker_died_ends
            a_cancelled_job_tells_its_last_failure
            jobs_are_selected_by_all_conditions_given
            another_priority_changes_the_order
            a_running_job_comes_back_with_its_new_priority
            failed_jobs_are_given_back_by_code
            a_failed_job_whose_key_is_live_again_stays
            a_paused_kind_is_not_claimed
            a_paused_group_does_not_block_the_others

            a_budget_hands_out_its_burst_then_its_pace
            a_budget_is_shared
            tokens_that_were_not_spent_come_back
            tokens_that_come_back_late_are_not_given_twice
            a_blocked_budget_hands_out_nothing
            a_day_has_its_own_limit
            a_budget_may_change_its_rate
            an_unknown_budget_is_an_error

            a_lock_has_one_holder
            a_lock_outlives_its_holder_by_its_lease
            a_lock_that_was_lost_cannot_be_extended_or_given_up

            vitals_tell_what_waits_runs_and_failed
            vitals_tell_how_budgets_are_spent
            what_a_budget_holds_back_is_not_paused
            the_latest_sign_of_life_stays
            what_was_spent_stands_beside_what_was_expected
            no_more_run_than_a_cap_allows
            a_cap_counts_what_a_dead_worker_left_until_it_is_taken_back
            a_cap_set_late_counts_what_runs_already
            a_cap_on_all_counts_every_kind
            a_full_group_does_not_block_the_others
            the_tightest_cap_holds
            claims_at_once_keep_to_a_cap
            a_use_is_counted_right_over_many_claims
            a_cap_and_a_pause_both_hold
            caps_that_no_job_could_have_are_refused

            an_empty_queue_has_nothing_to_claim_and_no_blocker
            jobs_that_are_not_due_are_told_with_their_time
            paused_and_capped_jobs_are_told_with_what_holds_them
            an_exhausted_budget_holds_its_kind_back_and_no_other
            a_day_that_is_spent_holds_its_kind_back_until_the_next
            a_kind_spends_from_the_budget_it_was_last_given

            a_worker_shows_itself_until_it_stops
            a_worker_that_died_is_seen_for_a_day
            a_worker_that_cannot_be_listed_is_refused

            a_bad_job_keeps_its_whole_batch_out
            bad_claims_are_refused
            a_message_that_cannot_be_stored_is_made_to_fit
            text_that_looks_like_sql_is_text
            asking_for_nothing_does_nothing
        }
    };
    (@each $open:expr; $($promise:ident)*) => {
        $(
            #[tokio::test]
            async fn $promise() {
                let (queue, _guard) = $open.await;
                $crate::conformance::$promise(&queue).await;
            }
        )*
    };
}

const KIND: &str = "test";
const LEASE: Duration = Duration::from_secs(60);
/// Longer than any wait or lease in the suite.
const AGE: Duration = Duration::from_secs(24 * 3600);

fn job(key: &str) -> NewJob {
    NewJob::new(KIND, json!({ "for": key })).with_key(key)
}

fn claim(limit: u16) -> Claim {
    Claim::new(KIND, "worker").with_limit(limit).with_lease(LEASE)
}

/// Adds a job and leases it.
async fn leased(queue: &dyn Subject, job: NewJob) -> Lease {
    queue.enqueue(&[job]).await.unwrap();
    one(queue).await
}

/// Leases the one job that can be claimed.
async fn one(queue: &dyn Subject) -> Lease {
    let mut leases = queue.claim(&claim(10)).await.unwrap();
    assert_eq!(leases.len(), 1, "one job can be claimed: {leases:?}");
    leases.remove(0)
}

async fn none(queue: &dyn Subject) {
    assert_eq!(queue.claim(&claim(10)).await.unwrap(), []);
}

fn keys(leases: &[Lease]) -> Vec<&str> {
    leases.iter().map(|lease| lease.key.as_deref().unwrap_or("-")).collect()
}
