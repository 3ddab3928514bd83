//! The protocol of leases as a model, and every history of it: two workers, two jobs, leases that run out, workers that
//! die, answers that get lost after the server has committed, and a server that crashes before the last claims are on
//! disk (asynchronous commit, or a replica that was behind when it took over).
//!
//! The model is the statements of `sql/` as far as they move rows; the other tests hold the statements to it.

mod table;
mod workers;

use stateright::{Checker, Model};

use workers::{Commit, Fence, Protocol, Step};

const HOLDER: &str = "nothing is accepted from a worker that lost its lease";

/// What checking every history finds out.
fn checked(fence: Fence, claims: Commit) -> impl Checker<Protocol> {
    Protocol { fence, claims }.checker().spawn_bfs().join()
}

/// One of the shortest histories in which a worker that lost its lease has its way.
fn shortest_theft(fence: Fence, claims: Commit) -> Vec<Step> {
    let theft =
        |depth| Protocol { fence, claims }.checker().target_max_depth(depth).spawn_bfs().join().discovery(HOLDER);
    (1..20).find_map(theft).expect("the fence does not hold").into_actions()
}

#[test]
fn a_random_token_fences_even_if_claims_are_forgotten() {
    let checker = checked(Fence::Token, Commit::Asynchronous);
    checker.assert_properties();
    assert!(checker.unique_state_count() > 10_000, "only {} states", checker.unique_state_count());
}

#[test]
fn an_attempt_number_alone_does_not_fence_if_claims_are_forgotten() {
    let history = shortest_theft(Fence::Attempt, Commit::Asynchronous);
    let [
        Step::Claim { worker: first, job, answered: true },
        Step::CrashServer,
        Step::Claim { worker, job: again, .. },
        end,
    ] = history[..]
    else {
        panic!("one claim that is forgotten, one that draws its number again, and a late word: {history:?}")
    };
    assert!(again == job && worker != first, "{history:?}");
    assert_eq!(end.worker(), Some(first), "{history:?}");
}

#[test]
fn an_attempt_number_fences_as_long_as_no_claim_is_forgotten() {
    checked(Fence::Attempt, Commit::Synchronous).assert_properties();
}

#[test]
fn a_number_that_a_release_does_not_raise_never_fences() {
    let history = shortest_theft(Fence::Failures, Commit::Synchronous);
    assert!(!history.contains(&Step::CrashServer), "{history:?}");
    assert!(
        history.iter().any(|step| matches!(step, Step::Release { answered: false, .. })),
        "an answer that gets lost is enough: {history:?}"
    );
}
