use std::time::Duration;

use serde_json::json;

use super::{KIND, Subject, claim, job, leased};
use crate::{Claim, Failure, MAX_JSON_BYTES, NewJob, Start, Then};

pub async fn a_bad_job_keeps_its_whole_batch_out(queue: &dyn Subject) {
    let bad = [
        (NewJob::new("", json!(1)), "jobs[1].kind is empty"),
        (NewJob::new("k".repeat(65), json!(1)), "jobs[1].kind is too long"),
        (NewJob::new("a\0b", json!(1)), "jobs[1].kind holds a NUL"),
        (job(&"k".repeat(10_000)), "jobs[1].key is too long"),
        (job("a\0b"), "jobs[1].key holds a NUL"),
        (job("a").with_group("g".repeat(129)), "jobs[1].group is too long"),
        (job("a").with_max_attempts(0), "jobs[1].max_attempts is not between 1 and 1,000"),
        (job("a").with_priority(i16::MIN), "jobs[1].priority is below -32,767"),
        (job("a").with_start(Start::After(Duration::MAX)), "jobs[1].start is longer than ten years"),
        (NewJob::new(KIND, json!({"a\0": 1})), "jobs[1].payload holds a NUL"),
        (NewJob::new(KIND, json!("x".repeat(MAX_JSON_BYTES))), "jobs[1].payload is larger than 1 MiB"),
    ];
    for (bad, expected) in bad {
        let error = queue.enqueue(&[job("good"), bad]).await.unwrap_err();
        assert_eq!((error.to_string().as_str(), error.code()), (expected, "VALIDATION_ERROR"));
        assert!(!error.is_transient());
    }
    assert_eq!(queue.counts().await.unwrap(), Default::default());
    let largest = NewJob::new(KIND, json!("x".repeat(MAX_JSON_BYTES - 2)));
    assert_eq!(leased(queue, largest.clone()).await.payload, largest.payload);
}

pub async fn bad_claims_are_refused(queue: &dyn Subject) {
    let bad = [
        (claim(1).with_lease(Duration::ZERO), "claim.lease has no length"),
        (claim(1).with_lease(Duration::MAX), "claim.lease is longer than ten years"),
        (claim(10_001), "claim.limit is above 10,000"),
        (Claim::new("", "worker"), "claim.kind is empty"),
        (Claim::new(KIND, "w\0"), "claim.worker holds a NUL"),
    ];
    for (bad, expected) in bad {
        assert_eq!(queue.claim(&bad).await.unwrap_err().to_string(), expected);
    }
    assert_eq!(queue.extend(&[], Duration::ZERO).await.unwrap_err().to_string(), "lease has no length");
}

pub async fn a_message_that_cannot_be_stored_is_made_to_fit(queue: &dyn Subject) {
    let lease = leased(queue, job("a")).await;
    let unnamed = Failure::new(lease.key(), "", "");
    assert_eq!(queue.fail(&[unnamed]).await.unwrap_err().to_string(), "failures[0].code is empty");
    let message = format!("\0{}", "é".repeat(5_000));
    queue.fail(&[Failure::new(lease.key(), "X", message).then(Then::Discard)]).await.unwrap();
    let kept = queue.failed(KIND, 1).await.unwrap()[0].message.clone().unwrap();
    assert!(kept.starts_with("\u{fffd}é") && kept.len() < 2_010, "{}", kept.len());
}

pub async fn text_that_looks_like_sql_is_text(queue: &dyn Subject) {
    let text = r#"'; DROP TABLE queue_job; -- "$1 ?1 %_\ {a,"b"} \u0000"#;
    let new = NewJob::new(text, json!({ text: text })).with_key(text).with_group(text);
    queue.enqueue(std::slice::from_ref(&new)).await.unwrap();
    let lease = queue.claim(&Claim::new(text, text)).await.unwrap().remove(0);
    assert_eq!((lease.key.as_deref(), lease.group.as_deref()), (Some(text), Some(text)));
    assert_eq!(lease.payload, new.payload);
    let failure = Failure::new(lease.key(), text, text).then(Then::Discard);
    queue.fail(&[failure]).await.unwrap();
    let failed = &queue.failed(text, 1).await.unwrap()[0];
    assert_eq!((failed.code.as_deref(), failed.message.as_deref()), (Some(text), Some(text)));
}

pub async fn asking_for_nothing_does_nothing(queue: &dyn Subject) {
    assert_eq!(queue.enqueue(&[]).await.unwrap(), []);
    assert_eq!(queue.extend(&[], Duration::from_secs(1)).await.unwrap(), []);
    assert_eq!(queue.complete(&[]).await.unwrap(), []);
    assert_eq!(queue.fail(&[]).await.unwrap(), []);
    queue.spend(&[]).await.unwrap();
    assert_eq!(queue.release(&[]).await.unwrap(), []);
    assert_eq!(queue.reap().await.unwrap(), Default::default());
    assert_eq!(queue.counts().await.unwrap(), Default::default());
}
