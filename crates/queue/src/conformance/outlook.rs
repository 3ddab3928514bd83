use std::time::Duration;

use super::{AGE, KIND, Subject, claim, job, keys, none};
use crate::{Blocker, Cap, Claim, Grant, NewJob, Outlook, Pause, Rate, Scope, Start};

async fn outlook(queue: &dyn Subject) -> Outlook {
    queue.outlook(KIND).await.unwrap()
}

pub async fn an_empty_queue_has_nothing_to_claim_and_no_blocker(queue: &dyn Subject) {
    assert_eq!(outlook(queue).await, Outlook::default());
    queue.enqueue(&[job("a"), NewJob::new("other", 1.into())]).await.unwrap();
    assert_eq!(outlook(queue).await, Outlook { claimable: 1, blockers: vec![] });
    queue.claim(&claim(9)).await.unwrap();
    assert_eq!(outlook(queue).await, Outlook::default());
    assert_eq!(queue.outlook("").await.unwrap_err().to_string(), "kind is empty");
}

pub async fn jobs_that_are_not_due_are_told_with_their_time(queue: &dyn Subject) {
    let minute = Duration::from_secs(60);
    let later = [job("a").with_start(Start::After(2 * minute)), job("b").with_start(Start::After(minute))];
    queue.enqueue(&later).await.unwrap();
    let told = outlook(queue).await;
    let [Blocker::NotDue { jobs: 2, next_at }] = told.blockers[..] else { panic!("{told:?}") };
    let wait = (next_at - queue.now().await.unwrap()).to_std().unwrap();
    assert!(wait <= minute && wait > minute / 2, "{wait:?}");
    queue.advance(wait);
    assert_eq!(outlook(queue).await.claimable, 1);
}

pub async fn paused_and_capped_jobs_are_told_with_what_holds_them(queue: &dyn Subject) {
    let jobs = [job("a").with_group("g"), job("b").with_group("h"), job("c").with_group("h"), job("d")];
    queue.enqueue(&jobs).await.unwrap();
    let pause = Pause::Group("g".to_owned());
    queue.pause(&pause).await.unwrap();
    let group = Scope::Group("h".to_owned());
    queue.set_cap(&group, Some(1)).await.unwrap();
    queue.set_cap(&Scope::All, Some(2)).await.unwrap();
    assert_eq!(outlook(queue).await.claimable, 3, "b or c, and d: their cap has room");

    assert_eq!(keys(&queue.claim(&claim(1)).await.unwrap()), ["b"]);
    let paused = Blocker::Paused { pause, jobs: 1 };
    let capped = Blocker::Capped { cap: Cap::new(group, 1, 1), jobs: 1 };
    assert_eq!(outlook(queue).await, Outlook { claimable: 1, blockers: vec![paused.clone(), capped.clone()] });

    assert_eq!(keys(&queue.claim(&claim(9)).await.unwrap()), ["d"]);
    let all = Blocker::Capped { cap: Cap::new(Scope::All, 2, 2), jobs: 2 };
    assert_eq!(outlook(queue).await, Outlook { claimable: 0, blockers: vec![paused, all, capped] });

    queue.pause(&Pause::Kind(KIND.to_owned())).await.unwrap();
    assert!(outlook(queue).await.blockers.iter().any(|blocker| blocker.jobs() == 2));
    none(queue).await;
}

/// A budget with a limit for the day of 50 tokens.
async fn budget(queue: &dyn Subject) {
    let rate = Rate::new(1_000, Duration::from_secs(1)).unwrap().with_burst(500).unwrap().with_day_limit(50);
    queue.set_budget("vendor", &rate).await.unwrap();
    queue.set_budget_of(KIND, Some("vendor")).await.unwrap();
}

pub async fn an_exhausted_budget_holds_its_kind_back_and_no_other(queue: &dyn Subject) {
    budget(queue).await;
    queue.enqueue(&[job("a"), NewJob::new("other", 1.into())]).await.unwrap();
    queue.block("vendor", AGE).await.unwrap();
    none(queue).await;
    assert_eq!(queue.claim(&Claim::new("other", "worker")).await.unwrap().len(), 1);
    let told = outlook(queue).await;
    let [Blocker::BudgetExhausted { ref budget, until, jobs: 1 }] = told.blockers[..] else { panic!("{told:?}") };
    let left = (until - queue.now().await.unwrap()).to_std().unwrap();
    assert!(budget == "vendor" && left <= AGE && left > AGE / 2, "{left:?}");
    queue.advance(AGE);
    assert_eq!(outlook(queue).await, Outlook { claimable: 1, blockers: vec![] });
    assert_eq!(keys(&queue.claim(&claim(9)).await.unwrap()), ["a"]);
}

pub async fn a_day_that_is_spent_holds_its_kind_back_until_the_next(queue: &dyn Subject) {
    budget(queue).await;
    queue.enqueue(&[job("a")]).await.unwrap();
    let mut wait = None;
    while wait.is_none() {
        match queue.reserve("vendor", 50).await.unwrap() {
            Grant::Granted(_) => queue.advance(Duration::from_secs(1)),
            Grant::Wait { wait: time } => wait = Some(time),
        }
    }
    none(queue).await;
    assert!(matches!(outlook(queue).await.blockers[..], [Blocker::BudgetExhausted { jobs: 1, .. }]));
    queue.advance(wait.unwrap());
    assert_eq!(keys(&queue.claim(&claim(9)).await.unwrap()), ["a"]);
}

pub async fn a_kind_spends_from_the_budget_it_was_last_given(queue: &dyn Subject) {
    let unknown = queue.set_budget_of(KIND, Some("vendor")).await.unwrap_err();
    assert_eq!(unknown.to_string(), "budget is not known; set its rate first");
    assert!(queue.set_budget_of("", None).await.is_err());
    budget(queue).await;
    queue.enqueue(&[job("a"), job("b")]).await.unwrap();
    queue.block("vendor", AGE).await.unwrap();
    none(queue).await;
    queue.set_budget("other", &Rate::new(9, Duration::from_secs(1)).unwrap()).await.unwrap();
    queue.set_budget_of(KIND, Some("other")).await.unwrap();
    assert_eq!(keys(&queue.claim(&claim(1)).await.unwrap()), ["a"]);
    queue.set_budget_of(KIND, Some("vendor")).await.unwrap();
    none(queue).await;
    queue.set_budget_of(KIND, None).await.unwrap();
    assert_eq!(keys(&queue.claim(&claim(1)).await.unwrap()), ["b"]);
}
