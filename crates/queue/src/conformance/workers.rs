use std::time::Duration;

use super::{AGE, Subject};
use crate::{Presence, WorkerState};

const MINUTE: Duration = Duration::from_secs(60);

fn worker(name: &str) -> Presence {
    Presence::new(name).with_kinds(["a".to_owned(), "b".to_owned()]).with_version("1.2.3").with_lease(MINUTE)
}

async fn alive(queue: &dyn Subject) -> Vec<(String, bool)> {
    let alive = |worker: WorkerState| (worker.name, worker.is_alive);
    queue.workers().await.unwrap().into_iter().map(alive).collect()
}

pub async fn a_worker_shows_itself_until_it_stops(queue: &dyn Subject) {
    let worker = worker("first");
    queue.show_worker(&worker).await.unwrap();
    let began = queue.workers().await.unwrap().remove(0);
    assert_eq!((began.id, began.name.as_str(), began.version.as_str()), (worker.id, "first", "1.2.3"));
    assert_eq!((began.pid, began.host, began.kinds), (std::process::id(), worker.host.clone(), worker.kinds.clone()));
    assert_eq!((began.running, began.is_alive), (0, true));

    queue.advance(MINUTE / 2);
    queue.show_worker(&worker.clone().with_running(7)).await.unwrap();
    queue.advance(MINUTE / 2);
    let seen = queue.workers().await.unwrap();
    assert_eq!((seen.len(), seen[0].running, seen[0].is_alive), (1, 7, true));
    assert_eq!(seen[0].started_at, began.started_at);
    assert!(seen[0].seen_at > began.seen_at);

    queue.forget_worker(worker.id).await.unwrap();
    queue.forget_worker(worker.id).await.unwrap();
    assert_eq!(queue.workers().await.unwrap(), []);
}

pub async fn a_worker_that_died_is_seen_for_a_day(queue: &dyn Subject) {
    queue.show_worker(&worker("dead")).await.unwrap();
    queue.advance(MINUTE);
    let living = worker("living");
    queue.show_worker(&living).await.unwrap();
    assert_eq!(alive(queue).await, [("dead".to_owned(), false), ("living".to_owned(), true)]);
    queue.advance(AGE + MINUTE);
    queue.show_worker(&living).await.unwrap();
    assert_eq!(alive(queue).await, [("living".to_owned(), true)]);
}

pub async fn a_worker_that_cannot_be_listed_is_refused(queue: &dyn Subject) {
    let unnamed = Presence::new("");
    assert_eq!(queue.show_worker(&unnamed).await.unwrap_err().to_string(), "worker.name is empty");
    let silent = worker("x").with_lease(Duration::ZERO);
    assert_eq!(queue.show_worker(&silent).await.unwrap_err().to_string(), "worker.lease has no length");
    let odd = worker("x").with_kinds(["a\0".to_owned()]);
    assert_eq!(queue.show_worker(&odd).await.unwrap_err().to_string(), "worker.kinds[0] holds a NUL");
    assert_eq!(queue.workers().await.unwrap(), []);
}
