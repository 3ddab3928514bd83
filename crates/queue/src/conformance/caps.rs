use super::{AGE, KIND, Subject, claim, job, keys, none};
use crate::{Cap, Claim, Completion, Failure, NewJob, Pause, Release, Scope, Select};

async fn set(queue: &dyn Subject, scope: &Scope, limit: u32) {
    queue.set_cap(scope, Some(limit)).await.unwrap();
}

fn of_kind() -> Scope {
    Scope::Kind(KIND.to_owned())
}

fn of_group(name: &str) -> Scope {
    Scope::Group(name.to_owned())
}

async fn uses(queue: &dyn Subject) -> Vec<(Scope, u32, u64)> {
    queue.caps().await.unwrap().into_iter().map(|cap| (cap.scope, cap.limit, cap.running)).collect()
}

async fn add(queue: &dyn Subject, names: &[&str]) {
    queue.enqueue(&names.iter().map(|name| job(name)).collect::<Vec<_>>()).await.unwrap();
}

pub async fn no_more_run_than_a_cap_allows(queue: &dyn Subject) {
    add(queue, &["a", "b", "c", "d", "e"]).await;
    set(queue, &of_kind(), 3).await;
    let first = queue.claim(&claim(2)).await.unwrap();
    let second = queue.claim(&claim(9)).await.unwrap();
    assert_eq!((keys(&first), keys(&second)), (vec!["a", "b"], vec!["c"]));
    none(queue).await;
    assert_eq!(uses(queue).await, [(of_kind(), 3, 3)]);

    queue.complete(&[Completion::new(first[0].key())]).await.unwrap();
    assert_eq!(keys(&queue.claim(&claim(9)).await.unwrap()), ["d"]);
    queue.release(&[Release::new(first[1].key()).with_wait(AGE / 2)]).await.unwrap();
    assert_eq!(keys(&queue.claim(&claim(9)).await.unwrap()), ["e"]);
    queue.fail(&[Failure::new(second[0].key(), "X", "")]).await.unwrap();
    assert_eq!(uses(queue).await, [(of_kind(), 3, 2)]);

    queue.set_cap(&of_kind(), None).await.unwrap();
    assert_eq!(uses(queue).await, []);
    queue.advance(AGE);
    assert_eq!(queue.claim(&claim(9)).await.unwrap().len(), 2, "b and c");
}

pub async fn a_cap_counts_what_a_dead_worker_left_until_it_is_taken_back(queue: &dyn Subject) {
    add(queue, &["a", "b"]).await;
    set(queue, &Scope::All, 1).await;
    assert_eq!(queue.claim(&claim(9)).await.unwrap().len(), 1);
    queue.advance(AGE);
    none(queue).await;
    queue.reap().await.unwrap();
    assert_eq!(queue.claim(&claim(9)).await.unwrap().len(), 1);
    none(queue).await;
}

pub async fn a_cap_set_late_counts_what_runs_already(queue: &dyn Subject) {
    add(queue, &["a", "b", "c", "d"]).await;
    let running = queue.claim(&claim(3)).await.unwrap();
    for scope in [Scope::All, of_kind()] {
        set(queue, &scope, 2).await;
        assert_eq!(uses(queue).await, [(scope.clone(), 2, 3)]);
        none(queue).await;
        queue.set_cap(&scope, None).await.unwrap();
    }
    set(queue, &of_kind(), 2).await;
    let done: Vec<_> = running[..2].iter().map(|lease| Completion::new(lease.key())).collect();
    queue.complete(&done[..1]).await.unwrap();
    none(queue).await;
    queue.complete(&done[1..]).await.unwrap();
    assert_eq!(keys(&queue.claim(&claim(9)).await.unwrap()), ["d"]);
}

pub async fn a_cap_on_all_counts_every_kind(queue: &dyn Subject) {
    add(queue, &["a", "b"]).await;
    let other = Claim::new("other", "worker").with_limit(9);
    queue.enqueue(&[NewJob::new("other", 1.into()), NewJob::new("other", 2.into())]).await.unwrap();
    set(queue, &Scope::All, 3).await;
    assert_eq!(queue.claim(&other).await.unwrap().len(), 2);
    assert_eq!(keys(&queue.claim(&claim(9)).await.unwrap()), ["a"]);
    set(queue, &Scope::All, 0).await;
    none(queue).await;
}

pub async fn a_full_group_does_not_block_the_others(queue: &dyn Subject) {
    let grouped = |name: &str, group: &str| job(name).with_group(group);
    let jobs = [
        grouped("a", "g").with_priority(9),
        grouped("b", "g").with_priority(9),
        grouped("c", "g").with_priority(9),
        grouped("d", "h"),
        job("e"),
        grouped("f", "h"),
    ];
    queue.enqueue(&jobs).await.unwrap();
    set(queue, &of_group("g"), 1).await;
    set(queue, &of_group("h"), 1).await;
    let leases = queue.claim(&claim(2)).await.unwrap();
    assert_eq!(keys(&leases), ["a", "d"], "the claim is filled from behind the group that is full");
    assert_eq!(keys(&queue.claim(&claim(9)).await.unwrap()), ["e"]);
    assert_eq!(uses(queue).await, [(of_group("g"), 1, 1), (of_group("h"), 1, 1)]);
    queue.complete(&[Completion::new(leases[0].key())]).await.unwrap();
    assert_eq!(keys(&queue.claim(&claim(9)).await.unwrap()), ["b"]);
}

pub async fn the_tightest_cap_holds(queue: &dyn Subject) {
    let jobs: Vec<NewJob> = (0..9).map(|number| job(&number.to_string()).with_group("g")).collect();
    queue.enqueue(&jobs).await.unwrap();
    for (scope, limit, more) in [(Scope::All, 4, 2), (of_kind(), 3, 1), (of_group("g"), 2, 2)].into_iter().rev() {
        set(queue, &scope, limit).await;
        assert_eq!(queue.claim(&claim(9)).await.unwrap().len(), if limit == 2 { more } else { 0 });
    }
    queue.set_cap(&of_group("g"), None).await.unwrap();
    assert_eq!(queue.claim(&claim(9)).await.unwrap().len(), 1);
    queue.set_cap(&of_kind(), None).await.unwrap();
    assert_eq!(queue.claim(&claim(9)).await.unwrap().len(), 1);
    none(queue).await;
}

pub async fn claims_at_once_keep_to_a_cap(queue: &dyn Subject) {
    let jobs: Vec<NewJob> = (0..100).map(|number| job(&number.to_string()).with_group("g")).collect();
    queue.enqueue(&jobs).await.unwrap();
    for scope in [Scope::All, of_kind(), of_group("g")] {
        set(queue, &scope, 7).await;
        let claim = claim(5);
        let claims = futures::future::join_all((0..8).map(|_| queue.claim(&claim))).await;
        let leases: Vec<_> =
            claims.into_iter().flat_map(Result::unwrap).map(|lease| Release::new(lease.key())).collect();
        assert_eq!(leases.len(), 7, "{scope:?}");
        queue.release(&leases).await.unwrap();
        queue.set_cap(&scope, None).await.unwrap();
    }
}

pub async fn a_use_is_counted_right_over_many_claims(queue: &dyn Subject) {
    let jobs: Vec<NewJob> = (0..300).map(|number| job(&number.to_string()).with_group("g")).collect();
    queue.enqueue(&jobs).await.unwrap();
    set(queue, &Scope::All, 2).await;
    set(queue, &of_group("g"), 2).await;
    let mut held = queue.claim(&claim(9)).await.unwrap();
    for _ in 0..150 {
        assert_eq!(held.len(), 2);
        queue.complete(&[Completion::new(held.remove(0).key())]).await.unwrap();
        held.extend(queue.claim(&claim(9)).await.unwrap());
    }
}

pub async fn caps_that_no_job_could_have_are_refused(queue: &dyn Subject) {
    for (scope, limit, expected) in [
        (Scope::Kind(String::new()), 1, "kind is empty"),
        (Scope::Group("g".repeat(129)), 1, "group is too long"),
        (Scope::All, u32::MAX, "limit is above 2,147,483,647"),
    ] {
        assert_eq!(queue.set_cap(&scope, Some(limit)).await.unwrap_err().to_string(), expected);
    }
    assert_eq!(queue.caps().await.unwrap(), []);
    set(queue, &Scope::All, i32::MAX.unsigned_abs()).await;
    add(queue, &["a"]).await;
    assert_eq!(queue.claim(&claim(9)).await.unwrap().len(), 1);
    assert_eq!(queue.caps().await.unwrap(), [Cap::new(Scope::All, 2_147_483_647, 1)]);
}

pub async fn a_cap_and_a_pause_both_hold(queue: &dyn Subject) {
    queue.enqueue(&[job("a").with_group("g"), job("b"), job("c")]).await.unwrap();
    queue.pause(&Pause::Group("g".to_owned())).await.unwrap();
    set(queue, &of_kind(), 1).await;
    set(queue, &of_group("g"), 1).await;
    assert_eq!(keys(&queue.claim(&claim(9)).await.unwrap()), ["b"]);
    queue.cancel(&Select::all()).await.unwrap();
    none(queue).await;
}
