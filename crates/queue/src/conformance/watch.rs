use std::time::Duration;

use serde_json::json;

use super::{AGE, KIND, LEASE, Subject, job, leased, none};
use crate::{Completion, Failure, Pause, Presence, Rate, Then};

pub async fn vitals_tell_what_waits_runs_and_failed(queue: &dyn Subject) {
    let quiet = queue.vitals(KIND).await.unwrap();
    assert_eq!((quiet.counts.live(), quiet.oldest_ready_at, quiet.beats.len()), (0, None, 0));

    let failed = leased(queue, job("failed")).await;
    queue.fail(&[Failure::new(failed.key(), "X", "").then(Then::Discard)]).await.unwrap();
    leased(queue, job("running")).await;
    queue.show_worker(&Presence::new("alive").with_lease(AGE)).await.unwrap();
    queue.show_worker(&Presence::new("dead").with_lease(LEASE)).await.unwrap();
    queue.enqueue(&[job("ready"), job("held").with_group("held")]).await.unwrap();
    queue.pause(&Pause::Group("held".to_owned())).await.unwrap();
    queue.advance(2 * LEASE);

    let vitals = queue.vitals(KIND).await.unwrap();
    assert_eq!((vitals.counts.ready, vitals.paused, vitals.runnable(), vitals.workers), (2, 1, 1, 1));
    assert_eq!((vitals.counts.running, vitals.lapsed, vitals.counts.failed), (1, 1, 1));
    assert_eq!(vitals.failures, [("X".to_owned(), 1)].into());
    for since in [vitals.oldest_ready_at, vitals.oldest_started_at] {
        let age = (vitals.now - since.unwrap()).to_std().unwrap();
        assert!(age >= 2 * LEASE && age < 3 * LEASE, "{age:?}");
    }

    queue.reap().await.unwrap();
    queue.advance(AGE);
    let later = queue.vitals(KIND).await.unwrap();
    assert_eq!((later.crashes, later.lapsed, later.counts.running), (1, 0, 0));
    assert!(later.failures.is_empty(), "failures of more than an hour ago are history");
}

pub async fn vitals_tell_how_budgets_are_spent(queue: &dyn Subject) {
    queue.set_budget("vendor", &Rate::new(200, Duration::from_secs(60)).unwrap()).await.unwrap();
    queue.reserve("vendor", 4).await.unwrap();
    let budgets = queue.vitals(KIND).await.unwrap().budgets;
    assert_eq!((budgets.len(), budgets[0].name.as_str(), budgets[0].is_blocked), (1, "vendor", false));
    assert_eq!((budgets[0].spent_today, budgets[0].interval_us > 300_000), (4, true));
    queue.block("vendor", LEASE).await.unwrap();
    assert!(queue.vitals(KIND).await.unwrap().budgets[0].is_blocked);
}

pub async fn what_a_budget_holds_back_is_not_paused(queue: &dyn Subject) {
    queue.set_budget("vendor", &Rate::new(200, Duration::from_secs(60)).unwrap()).await.unwrap();
    queue.set_budget_of(KIND, Some("vendor")).await.unwrap();
    queue.block("vendor", LEASE).await.unwrap();
    queue.enqueue(&[job("a")]).await.unwrap();
    none(queue).await;
    let vitals = queue.vitals(KIND).await.unwrap();
    assert_eq!((vitals.counts.ready, vitals.paused, vitals.oldest_ready_at.is_some()), (1, 0, true));
}

pub async fn the_latest_sign_of_life_stays(queue: &dyn Subject) {
    queue.beat("tick", "one", &json!({ "scanned": 1 })).await.unwrap();
    queue.advance(LEASE);
    queue.beat("tick", "other \"quoted\"", &json!({ "scanned": 2 })).await.unwrap();
    let vitals = queue.vitals(KIND).await.unwrap();
    let beat = vitals.beat("tick").unwrap();
    assert_eq!(
        (vitals.beats.len(), beat.holder.as_str(), &beat.note),
        (1, "other \"quoted\"", &json!({ "scanned": 2 }))
    );
    assert!((vitals.now - beat.at).num_seconds() < 30);
    for (name, holder) in [("", "x"), ("x", "")] {
        assert_eq!(queue.beat(name, holder, &json!(null)).await.unwrap_err().code(), "VALIDATION_ERROR");
    }
}

pub async fn what_was_spent_stands_beside_what_was_expected(queue: &dyn Subject) {
    let since = queue.now().await.unwrap();
    for (key, cost, result) in [
        ("a", 3, json!({ "expected_cost": 2 })),
        ("b", 4, json!({ "expected_cost": 5 })),
        ("c", 1, json!({ "expected_cost": "many" })),
        ("d", 1, json!(7)),
        ("e", 0, json!(null)),
    ] {
        let lease = leased(queue, job(key).with_group("g")).await;
        queue.complete(&[Completion::new(lease.key()).with_cost(cost).with_result(result)]).await.unwrap();
    }
    let failed = leased(queue, job("f").with_group("g")).await;
    queue.fail(&[Failure::new(failed.key(), "X", "").then(Then::Discard).with_cost(9)]).await.unwrap();

    let spent = queue.spent(KIND, since).await.unwrap();
    // The day may have changed in between.
    let sum = spent.iter().fold((0, 0, 0), |sum, day| (sum.0 + day.jobs, sum.1 + day.cost, sum.2 + day.expected_cost));
    assert_eq!(sum, (5, 9, 7));
    assert!(spent.iter().all(|day| day.group.as_deref() == Some("g") && day.day >= since.date_naive()));
    assert_eq!(queue.spent(KIND, since + AGE).await.unwrap(), []);
}
