use std::time::Duration;

use super::{AGE, KIND, Subject, job, leased, one};
use crate::{Completion, Failure, LeaseKey, LedgerLine, Release, Select, Spending, Then};

pub async fn tries_that_went_wrong_are_kept(queue: &dyn Subject) {
    let first = leased(queue, job("a")).await;
    queue.advance(AGE);
    queue.reap().await.unwrap();
    let second = one(queue).await;
    queue.advance(Duration::from_secs(5));
    let failure = Failure::new(second.key(), "FLAKY", "again").then(Then::After(Duration::ZERO));
    queue.fail(&[failure]).await.unwrap();
    let third = one(queue).await;
    queue.complete(&[Completion::new(third.key())]).await.unwrap();

    let attempts = queue.attempts(first.id).await.unwrap();
    let told: Vec<_> =
        attempts.iter().map(|tried| (tried.attempt, tried.code.as_str(), tried.worker.as_str())).collect();
    assert_eq!(told, [(1, "CRASHED", "worker"), (1, "FLAKY", "worker")]);
    assert_eq!(attempts[1].message.as_deref(), Some("again"));
    let lasted = (attempts[1].finished_at - attempts[1].started_at).to_std().unwrap();
    assert!(lasted >= Duration::from_secs(5) && lasted < Duration::from_secs(35), "{lasted:?}");
}

pub async fn the_ledger_sums_what_ended_and_what_it_cost(queue: &dyn Subject) {
    let since = queue.now().await.unwrap();
    for (key, cost) in [("a", 3), ("b", 4)] {
        let lease = leased(queue, job(key).with_group("g")).await;
        queue.complete(&[Completion::new(lease.key()).with_cost(cost)]).await.unwrap();
    }
    let lease = leased(queue, job("c").with_group("g")).await;
    queue.fail(&[Failure::new(lease.key(), "X", "").then(Then::After(Duration::ZERO)).with_cost(5)]).await.unwrap();
    let lease = one(queue).await;
    queue.fail(&[Failure::new(lease.key(), "X", "").then(Then::Discard).with_cost(6)]).await.unwrap();
    let lease = leased(queue, job("d")).await;
    queue.complete(&[Completion::new(lease.key()).with_cost(1)]).await.unwrap();

    // Summing up what was counted apart changes nothing.
    for _ in 0..2 {
        let lines = queue.ledger(since).await.unwrap();
        // The hour may have changed in between.
        let of = |group: Option<&str>| {
            let lines = lines.iter().filter(|line| line.group.as_deref() == group && line.kind == KIND);
            lines.fold((0, 0, 0), |sum, line| (sum.0 + line.succeeded, sum.1 + line.failed, sum.2 + line.cost))
        };
        assert_eq!((of(Some("g")), of(None)), ((2, 1, 18), (1, 0, 1)));
        queue.reap().await.unwrap();
    }
    assert_eq!(queue.counts().await.unwrap()[KIND].succeeded, 3);
    assert_eq!(queue.ledger(since + 2 * Duration::from_secs(3600)).await.unwrap(), []);
}

pub async fn the_ledger_is_told_in_one_order(queue: &dyn Subject) {
    let since = queue.now().await.unwrap();
    let groups = [Some("b"), None, Some("Z"), Some("a")];
    for (place, group) in groups.into_iter().enumerate() {
        let mut job = job(&place.to_string());
        job.group = group.map(str::to_owned);
        let lease = leased(queue, job).await;
        queue.complete(&[Completion::new(lease.key())]).await.unwrap();
    }
    let told = |lines: Vec<LedgerLine>| lines.into_iter().map(|line| (line.hour, line.kind, line.group));
    let lines: Vec<_> = told(queue.ledger(since).await.unwrap()).collect();
    assert_eq!(lines.len(), 4);
    assert!(lines.is_sorted(), "{lines:?}");
}

pub async fn a_job_given_back_is_taken_off_the_failed_ones(queue: &dyn Subject) {
    let since = queue.now().await.unwrap();
    let fail = async || {
        let lease = one(queue).await;
        queue.fail(&[Failure::new(lease.key(), "X", "").then(Then::Discard)]).await.unwrap();
    };
    queue.enqueue(&[job("a")]).await.unwrap();
    fail().await;
    queue.advance(2 * AGE);
    assert_eq!(queue.retry_failed(&Select::all()).await.unwrap(), 1);
    fail().await;
    let failed: Vec<u64> = queue.ledger(since).await.unwrap().iter().map(|line| line.failed).collect();
    assert_eq!(failed.iter().sum::<u64>(), 1, "it failed once in the end: {failed:?}");
}

pub async fn a_job_given_back_is_taken_off_the_hour_that_it_failed_in(queue: &dyn Subject) {
    let since = queue.now().await.unwrap();
    let failed = async || {
        let lines = queue.ledger(since).await.unwrap().into_iter();
        lines.map(|line| line.failed).filter(|failed| *failed > 0).collect::<Vec<u64>>()
    };
    for job in [job("a"), job("b").with_group("g")] {
        let lease = leased(queue, job).await;
        queue.fail(&[Failure::new(lease.key(), "X", "").then(Then::Discard)]).await.unwrap();
        queue.advance(AGE);
    }
    assert_eq!(failed().await, [1, 1]);
    for left in [vec![1], vec![]] {
        let group = if left.is_empty() { Select::all() } else { Select::all().of_group("g") };
        assert_eq!(queue.retry_failed(&group).await.unwrap(), 1);
        let lease = one(queue).await;
        queue.complete(&[Completion::new(lease.key())]).await.unwrap();
        assert_eq!(failed().await, left, "those that failed in the end");
    }
}

pub async fn a_try_is_booked_whichever_way_it_ends(queue: &dyn Subject) {
    let since = queue.now().await.unwrap();
    let lease = leased(queue, job("a").with_group("g").with_max_attempts(9)).await;
    queue.release(&[Release::new(lease.key()).with_cost(1)]).await.unwrap();
    let lease = one(queue).await;
    queue.fail(&[Failure::new(lease.key(), "X", "").then(Then::After(Duration::ZERO)).with_cost(20)]).await.unwrap();
    let lease = one(queue).await;
    for cost in [100, 300] {
        queue.spend(&[Spending::new(lease.key(), cost)]).await.unwrap();
    }
    queue.advance(AGE);
    queue.reap().await.unwrap();
    let lease = one(queue).await;
    // What the end says counts, not what was told on the way.
    queue.spend(&[Spending::new(lease.key(), 77_777)]).await.unwrap();
    queue.release(&[Release::new(lease.key()).with_cost(4_000)]).await.unwrap();
    let lease = one(queue).await;
    queue.cancel(&Select::all()).await.unwrap();
    queue.release(&[Release::new(lease.key()).with_cost(50_000)]).await.unwrap();
    assert_eq!(booked(queue, since).await, (0, 1, 54_321));
}

pub async fn a_lost_lease_books_nothing(queue: &dyn Subject) {
    let since = queue.now().await.unwrap();
    let lost = leased(queue, job("a").with_group("g")).await.key();
    queue.advance(AGE);
    queue.reap().await.unwrap();
    let held = one(queue).await.key();
    for key in [lost, held] {
        queue.spend(&[Spending::new(key, if key == lost { 9 } else { 1 })]).await.unwrap();
    }
    queue.release(&[Release::new(lost).with_cost(9)]).await.unwrap();
    assert_eq!(booked(queue, since).await, (0, 0, 0));
    queue.advance(AGE);
    queue.reap().await.unwrap();
    assert_eq!(booked(queue, since).await, (0, 0, 1));
    // A key is spent by its first use, and so is its cost.
    let twice = |key: LeaseKey| Release::new(key).with_cost(5);
    let key = one(queue).await.key();
    queue.release(&[twice(key), twice(key)]).await.unwrap();
    queue.release(&[twice(key)]).await.unwrap();
    assert_eq!(booked(queue, since).await, (0, 0, 6));
}

/// What the group has in the ledger: succeeded, failed, cost.
async fn booked(queue: &dyn Subject, since: chrono::DateTime<chrono::Utc>) -> (u64, u64, u64) {
    let lines = queue.ledger(since).await.unwrap();
    let lines = lines.iter().filter(|line| line.group.as_deref() == Some("g"));
    lines.fold((0, 0, 0), |sum, line| (sum.0 + line.succeeded, sum.1 + line.failed, sum.2 + line.cost))
}

pub async fn history_is_pruned_but_counts_remember_it(queue: &dyn Subject) {
    let old = leased(queue, job("old")).await;
    queue.fail(&[Failure::new(old.key(), "X", "").then(Then::Discard)]).await.unwrap();
    queue.advance(2 * AGE);
    let new = leased(queue, job("new")).await;
    queue.fail(&[Failure::new(new.key(), "X", "").then(Then::Discard)]).await.unwrap();
    assert_eq!(queue.prune(3 * AGE).await.unwrap(), 0);
    assert_eq!(queue.prune(AGE).await.unwrap(), 1);
    let left = queue.failed(KIND, 9).await.unwrap();
    assert_eq!((left.len(), left[0].id), (1, new.id));
    assert_eq!(queue.attempts(old.id).await.unwrap(), []);
    assert_eq!(queue.attempts(new.id).await.unwrap().len(), 1);
    assert_eq!(queue.counts().await.unwrap()[KIND].failed, 2);
    assert!(queue.prune(Duration::MAX).await.is_err());
}

pub async fn months_that_have_passed_are_forgotten(queue: &dyn Subject) {
    for month in 0..6 {
        queue.prune(60 * AGE).await.unwrap();
        let lease = leased(queue, job(&month.to_string())).await;
        queue.fail(&[Failure::new(lease.key(), "X", "").then(Then::Discard)]).await.unwrap();
        queue.advance(31 * AGE);
    }
    queue.prune(60 * AGE).await.unwrap();
    let kept: Vec<_> = queue.failed(KIND, 9).await.unwrap().into_iter().map(|job| job.key.unwrap()).collect();
    assert_eq!(kept, ["5"], "the one that is 31 days old");
    assert_eq!(queue.counts().await.unwrap()[KIND].failed, 6);
}
