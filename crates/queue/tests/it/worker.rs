//! The worker, on the reference model and tokio's paused clock where time matters, on the real databases otherwise.

mod faulty;
mod full;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use barkeep_queue::conformance::Subject;
use barkeep_queue::{
    Bell, Control, Ending, Inspect, Job, MAX_JSON_BYTES, MemoryQueue, NewJob, Outcome, Queue, Select, StopReason, Then,
    Worker,
};
use serde_json::json;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use faulty::Faulty;

const KIND: &str = "test";

async fn queue(jobs: u32) -> MemoryQueue {
    let queue = MemoryQueue::new();
    fill(&queue, jobs).await;
    queue
}

async fn fill(queue: &dyn Queue, jobs: u32) {
    let jobs: Vec<NewJob> = (0..jobs).map(|number| NewJob::new(KIND, json!(number))).collect();
    queue.enqueue(&jobs).await.unwrap();
}

fn worker(queue: &MemoryQueue, work: impl barkeep_queue::Work) -> Worker {
    Worker::new(Arc::new(queue.clone()), KIND, work)
}

async fn does_every_job_once(queue: Arc<dyn Subject>) {
    fill(&*queue, 300).await;
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let work = move |job: Job| {
        counted.fetch_add(1, Ordering::Relaxed);
        async move { job.done().with_result(job.payload.clone()).into() }
    };
    let worker = Worker::new(queue.clone() as Arc<dyn Queue>, KIND, work).with_concurrency(50);
    let (one, other) = tokio::join!(worker.run_until_idle(), worker.run_until_idle());
    assert_eq!(one.unwrap().done + other.unwrap().done, 300);
    assert_eq!(runs.load(Ordering::Relaxed), 300);
    let counts = queue.counts().await.unwrap()[KIND];
    assert_eq!((counts.live(), counts.succeeded), (0, 300));
}

#[tokio::test]
async fn sqlite_jobs_are_each_done_once() {
    let (queue, _guard) = crate::sqlite::queue().await;
    does_every_job_once(Arc::new(queue)).await;
}

#[tokio::test]
async fn postgres_jobs_are_each_done_once_over_a_single_connection() {
    let test = barkeep_test_postgres::TestDatabase::create().await;
    let settings = barkeep_database::PostgresSettings::new(test.url().parse().unwrap()).with_connections(1);
    let database = barkeep_database::Postgres::connect_with(settings).await.unwrap();
    does_every_job_once(Arc::new(barkeep_queue::PostgresQueue::open(&database).await.unwrap())).await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_fails_its_own_job_alone() {
    let queue = queue(3).await;
    let work = async |job: Job| -> Ending {
        assert!(job.payload != json!(1), "one is too many");
        job.done().into()
    };
    let worked = worker(&queue, work).run_until_idle().await.unwrap();
    assert_eq!((worked.done, worked.failed), (2, 1));
    assert_eq!(queue.live(KIND).await.unwrap()[0].code.as_deref(), Some("PANICKED"));
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_a_job_that_is_dropped_fails_it_alone() {
    let queue = queue(3).await;
    let stop = CancellationToken::new();
    let told = stop.clone();
    let work = move |job: Job| {
        let (told, bomb) = (told.clone(), (job.payload == json!(1)).then(|| Bomb));
        async move {
            let _bomb = bomb;
            told.cancel();
            std::future::pending().await
        }
    };
    let worked = worker(&queue, work).with_grace(Duration::from_secs(5)).run(stop).await.unwrap();
    assert_eq!((worked.snoozed, worked.failed), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn as_many_jobs_run_at_once_as_a_worker_has_room_for() {
    let queue = queue(60).await;
    let all = Arc::new(tokio::sync::Barrier::new(20));
    let work = move |job: Job| {
        let all = Arc::clone(&all);
        async move {
            all.wait().await;
            job.done().into()
        }
    };
    let working = worker(&queue, work).with_concurrency(20);
    let worked = tokio::time::timeout(Duration::from_secs(60), working.run_until_idle()).await;
    assert_eq!(worked.expect("all meet").unwrap().done, 60);
}

/// Jobs that end once so many have begun, for which they wait by `wait`.
async fn all_begin(jobs: u32, wait: impl Fn(&dyn Fn()) + Copy + Send + Sync + 'static) {
    let queue = queue(jobs).await;
    let came = Arc::new(AtomicU32::new(0));
    let work = move |job: Job| {
        let came = Arc::clone(&came);
        async move {
            came.fetch_add(1, Ordering::Relaxed);
            let until = std::time::Instant::now() + Duration::from_secs(30);
            wait(&|| {
                while came.load(Ordering::Relaxed) < jobs && std::time::Instant::now() < until {
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
            if came.load(Ordering::Relaxed) == jobs { job.done().into() } else { job.failed("ALONE", "").into() }
        }
    };
    let worker = worker(&queue, work);
    // On one of the threads itself, as a worker mostly is.
    let worked = tokio::spawn(async move { worker.run_until_idle().await.unwrap() });
    assert_eq!(worked.await.unwrap().done, u64::from(jobs));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn jobs_that_compute_do_so_on_all_threads() {
    all_begin(3, |compute| compute()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_that_block_in_place_do_so_at_the_same_time() {
    all_begin(10, |block| tokio::task::block_in_place(block)).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_told_to_stop_finishes_what_runs() {
    let queue = queue(5).await;
    let stop = CancellationToken::new();
    let (started, told) = (Arc::new(Notify::new()), stop.clone());
    let work = {
        let started = Arc::clone(&started);
        move |job: Job| {
            let started = Arc::clone(&started);
            async move {
                started.notify_one();
                assert_eq!(job.stopped().await, StopReason::Stopping);
                tokio::time::sleep(Duration::from_secs(10)).await;
                job.done().into()
            }
        }
    };
    let worker = worker(&queue, work).with_concurrency(2);
    let (worked, ()) = tokio::join!(worker.run(stop), async {
        started.notified().await;
        told.cancel();
    });
    assert_eq!(worked.unwrap().done, 2);
    let counts = queue.counts().await.unwrap()[KIND];
    assert_eq!((counts.ready, counts.running, counts.succeeded), (3, 0, 2));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_end_in_time_is_dropped_and_given_back() {
    let queue = queue(3).await;
    let stop = CancellationToken::new();
    let told = stop.clone();
    let work = move |_| {
        told.cancel();
        std::future::pending::<Ending>()
    };
    let worked = worker(&queue, work).with_grace(Duration::from_secs(5)).run(stop).await.unwrap();
    assert_eq!(worked.snoozed, 3);
    let live = queue.live(KIND).await.unwrap();
    assert!(live.iter().all(|job| job.attempt == 1 && job.state == barkeep_queue::LiveState::Ready), "{live:?}");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_job_is_told_at_the_next_beat() {
    let queue = queue(1).await;
    let control = queue.clone();
    let work = move |job: Job| {
        let control = control.clone();
        async move {
            control.cancel(&Select::jobs([job.id])).await.unwrap();
            assert_eq!(job.stopped().await, StopReason::Cancelled);
            job.snoozed(Duration::ZERO).into()
        }
    };
    worker(&queue, work).run_until_idle().await.unwrap();
    assert_eq!(queue.failed(KIND, 9).await.unwrap()[0].outcome, Outcome::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn what_was_spent_is_booked_whichever_way_a_try_ends() {
    let queue = queue(5).await;
    let stop = CancellationToken::new();
    let told = stop.clone();
    let work = move |job: Job| {
        let told = told.clone();
        async move {
            let number = job.payload.as_u64().unwrap();
            job.spend(7 * 10_u64.pow(number as u32));
            match number {
                0 => job.done().into(),
                1 => job.failed("FLAKY", "").then(Then::Discard).into(),
                2 => job.snoozed(Duration::from_secs(3_600)).into(),
                3 => panic!("in vain"),
                _ => {
                    told.cancel();
                    std::future::pending().await
                }
            }
        }
    };
    let since = queue.now().await.unwrap();
    let worked = worker(&queue, work).with_grace(Duration::from_secs(5)).run(stop).await.unwrap();
    assert_eq!((worked.done, worked.failed, worked.snoozed), (1, 2, 2));
    assert_eq!(booked(&queue, since).await, 77_777);
}

#[tokio::test(start_paused = true)]
async fn what_was_spent_under_a_lost_lease_is_booked_as_far_as_a_beat_told() {
    let queue = queue(1).await;
    let other = queue.clone();
    let work = move |job: Job| {
        let other = other.clone();
        async move {
            if job.crashes > 0 {
                return job.done().with_cost(1).into();
            }
            job.spend(20);
            tokio::time::sleep(Duration::from_secs(30)).await;
            job.spend(300);
            other.advance(Duration::from_secs(3_600));
            other.reap().await.unwrap();
            assert_eq!(job.stopped().await, StopReason::Lost);
            job.snoozed(Duration::ZERO).into()
        }
    };
    let since = queue.now().await.unwrap();
    let worked = worker(&queue, work).run_until_idle().await.unwrap();
    assert_eq!((worked.done, worked.lost), (1, 1));
    assert_eq!(booked(&queue, since).await, 21);
}

async fn booked(queue: &MemoryQueue, since: chrono::DateTime<chrono::Utc>) -> u64 {
    queue.ledger(since).await.unwrap().iter().map(|line| line.cost).sum()
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_lease_was_lost_is_told_and_its_ending_ignored() {
    let queue = queue(1).await;
    let other = queue.clone();
    let work = move |job: Job| {
        let other = other.clone();
        async move {
            other.advance(Duration::from_secs(3600));
            other.reap().await.unwrap();
            let stolen = other.claim(&barkeep_queue::Claim::new(KIND, "other")).await.unwrap();
            assert_eq!(stolen.len(), 1);
            assert_eq!(job.stopped().await, StopReason::Lost);
            job.done().into()
        }
    };
    let worked = worker(&queue, work).run_until_idle().await.unwrap();
    assert_eq!((worked.done, worked.lost), (0, 1));
    assert_eq!(queue.counts().await.unwrap()[KIND].running, 1);
}

#[tokio::test(start_paused = true)]
async fn endings_are_kept_while_the_database_is_out_of_reach() {
    let queue = queue(4).await;
    let faulty = Arc::new(Faulty::failing(queue.clone(), 5));
    let worker = Worker::new(faulty, KIND, |job: Job| async move { job.done().into() });
    assert_eq!(worker.run_until_idle().await.unwrap().done, 4);
    assert_eq!(queue.counts().await.unwrap()[KIND].succeeded, 4);
}

#[tokio::test(start_paused = true)]
async fn a_worker_cut_off_for_a_lease_tells_its_jobs_to_stop() {
    let queue = queue(1).await;
    let faulty = Arc::new(Faulty::failing(queue.clone(), u32::MAX));
    let work = |job: Job| async move {
        assert_eq!(job.stopped().await, StopReason::Lost);
        job.failed("CUT_OFF", "").into()
    };
    let worker = Worker::new(Arc::new(queue.clone()), KIND, work).with_heartbeats_on(faulty);
    assert_eq!(worker.run_until_idle().await.unwrap().failed, 1);
}

#[tokio::test(start_paused = true)]
async fn a_result_that_cannot_be_stored_fails_its_own_job_alone() {
    let queue = queue(3).await;
    let work = |job: Job| async move {
        let huge = job.payload == json!(1);
        let result = if huge { json!("x".repeat(MAX_JSON_BYTES)) } else { json!(null) };
        job.done().with_result(result).into()
    };
    let worked = worker(&queue, work).run_until_idle().await.unwrap();
    assert_eq!((worked.done, worked.failed), (2, 1));
    assert_eq!(queue.failed(KIND, 9).await.unwrap()[0].code.as_deref(), Some("VALIDATION_ERROR"));
}

#[tokio::test(start_paused = true)]
async fn kinds_take_turns_and_others_are_left_alone() {
    let queue = queue(2).await;
    for kind in ["second", "unknown"] {
        queue.enqueue(&[NewJob::new(kind, json!(0)), NewJob::new(kind, json!(1))]).await.unwrap();
    }
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&order);
    let work = move |job: Job| {
        seen.lock().unwrap().push(job.kind.clone());
        async move { job.done().into() }
    };
    worker(&queue, work).with_kind("second").with_concurrency(1).run_until_idle().await.unwrap();
    assert_eq!(*order.lock().unwrap(), [KIND, "second", KIND, "second"]);
    assert_eq!(queue.counts().await.unwrap()["unknown"].ready, 2);
}

#[tokio::test(start_paused = true)]
async fn what_a_job_asks_for_happens() {
    let queue = queue(3).await;
    let work = |job: Job| async move {
        match job.payload.as_u64() {
            Some(0) => job.snoozed(Duration::from_secs(60)).into(),
            Some(1) => job.failed("LIMITED", "").then(Then::After(Duration::from_secs(90))).into(),
            _ => job.done().with_rest(vec![NewJob::new("rest", json!(9))]).into(),
        }
    };
    let worked = worker(&queue, work).run_until_idle().await.unwrap();
    assert_eq!((worked.done, worked.failed, worked.snoozed), (1, 1, 1));
    let waiting = queue.live(KIND).await.unwrap();
    assert_eq!((waiting[0].attempt, waiting[1].attempt), (1, 2));
    assert_eq!(queue.counts().await.unwrap()["rest"].ready, 1);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_may_not_work_says_so() {
    let queue = queue(1).await;
    let worker = worker(&queue, |job: Job| async move { job.done().into() }).with_lease(Duration::MAX);
    assert_eq!(worker.run_until_idle().await.unwrap_err().code(), "VALIDATION_ERROR");
}

#[tokio::test(start_paused = true)]
async fn nobody_lingers_for_endings_that_cannot_come() {
    let queue = queue(5).await;
    let began = tokio::time::Instant::now();
    // The last alone, the others two at a time: whatever could end has ended.
    let patient = worker(&queue, async |job: Job| -> Ending { job.done().into() })
        .with_concurrency(2)
        .with_linger(Duration::from_secs(3600));
    assert_eq!(patient.run_until_idle().await.unwrap().done, 5);
    assert!(began.elapsed() < Duration::from_secs(3600), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_bell_rung_at_any_moment_wakes_a_worker_that_found_nothing() {
    let queue = queue(0).await;
    let bell = Bell::new();
    let stop = CancellationToken::new();
    let told = stop.clone();
    let work = move |job: Job| {
        if job.payload == json!(99) {
            told.cancel();
        }
        async move { job.done().into() }
    };
    let hour = Duration::from_secs(3600);
    let sleeper = worker(&queue, work).with_bell(&bell).with_poll(hour, hour);
    let began = tokio::time::Instant::now();
    let (worked, ()) = tokio::join!(sleeper.run(stop), async {
        for number in 0..100 {
            queue.enqueue(&[NewJob::new(KIND, json!(number))]).await.unwrap();
            bell.ring();
            tokio::time::sleep(Duration::from_micros(number * 100)).await;
        }
    });
    assert_eq!(worked.unwrap().done, 100);
    assert!(began.elapsed() < hour, "{:?}", began.elapsed());
}
