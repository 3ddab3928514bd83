//! The sixteen queries: all of them run, say nothing of a healthy database, and find the fault that each is for.

use barkeep_orchestrator::Orchestrator;
use barkeep_orchestrator::calendar::Nyse;
use barkeep_orchestrator::types::Timeframe;
use tests::{Child, Kind, Outcome, Scene, provider};
use tokio_util::sync::CancellationToken;

use crate::{definition, on_both_databases, simulator};

on_both_databases!(f56_every_check_finds_the_fault_it_is_for_and_nothing_in_a_healthy_database);

/// A fault: which check finds it, how it is made on either database, and how it is mended on both.
struct Fault {
    check: &'static str,
    sqlite: &'static [&'static str],
    postgres: &'static [&'static str],
    mend: &'static [&'static str],
}

const REMOVE_JOBS: &[&str] = &[
    "DELETE FROM queue_ready WHERE id >= 900000",
    "DELETE FROM queue_lease WHERE id >= 900000",
    "DELETE FROM queue_attempt WHERE id >= 900000",
    "DELETE FROM queue_done WHERE id >= 900000",
    "DELETE FROM queue_job WHERE id >= 900000",
];

const FAULTS: &[Fault] = &[
    Fault {
        check: "02_slices_too_large",
        sqlite: &["INSERT INTO queue_job (id, created_at, run_at, rank, max_attempts, kind, payload)
            SELECT 900001, unixepoch() * 1000000, unixepoch() * 1000000, 0, 5, 'slice',
                json_object('symbols', (SELECT json_group_array('S' || value) FROM (
                    WITH RECURSIVE number (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM number WHERE value < 201)
                    SELECT value FROM number)))"],
        postgres: &["INSERT INTO queue_job (id, created_at, run_at, rank, max_attempts, kind, payload)
            SELECT 900001, now(), now(), 0, 5, 'slice',
                json_build_object('symbols', (SELECT json_agg('S' || n) FROM generate_series(1, 201) AS n))"],
        mend: REMOVE_JOBS,
    },
    Fault {
        check: "03_slices_overlapping",
        sqlite: &[r#"INSERT INTO queue_job (id, created_at, run_at, rank, max_attempts, kind, payload)
            SELECT value, unixepoch() * 1000000, unixepoch() * 1000000, 0, 5, 'slice',
                '{"symbols":["AAPL"],"timeframe":"d1","feed":"sip","adjustment":"raw","range":{"start":"2024-03-0'
                || (value - 900000) || 'T00:00:00Z","end":"2024-03-10T00:00:00Z"}}'
            FROM json_each('[900001, 900002]')"#],
        postgres: &[r#"INSERT INTO queue_job (id, created_at, run_at, rank, max_attempts, kind, payload)
            SELECT n, now(), now(), 0, 5, 'slice',
                ('{"symbols":["AAPL"],"timeframe":"d1","feed":"sip","adjustment":"raw","range":{"start":"2024-03-0'
                || (n - 900000) || 'T00:00:00Z","end":"2024-03-10T00:00:00Z"}}')::json
            FROM generate_series(900001, 900002) AS n"#],
        mend: REMOVE_JOBS,
    },
    Fault {
        check: "04_slices_without_cost",
        sqlite: &["UPDATE queue_done SET cost = NULL"],
        postgres: &["UPDATE queue_done SET cost = NULL"],
        mend: &["UPDATE queue_done SET cost = 1"],
    },
    Fault {
        check: "05_definitions_dearer_than_expected",
        sqlite: &["UPDATE queue_done SET cost = 1001"],
        postgres: &["UPDATE queue_done SET cost = 1001"],
        mend: &["UPDATE queue_done SET cost = 1"],
    },
    Fault {
        check: "06_tries_that_failed",
        sqlite: &[
            "INSERT INTO queue_job (id, created_at, run_at, rank, max_attempts, kind, payload)
                VALUES (900001, unixepoch() * 1000000, unixepoch() * 1000000, 0, 5, 'slice', '{}')",
            "INSERT INTO queue_attempt (id, started_at, finished_at, attempt, worker, code, message)
                VALUES (900001, unixepoch() * 1000000, unixepoch() * 1000000, 1, 'one', 'FLAKY', 'a' || char(27) || char(10) || 'b')",
        ],
        postgres: &[
            "INSERT INTO queue_job (id, created_at, run_at, rank, max_attempts, kind, payload)
                VALUES (900001, now(), now(), 0, 5, 'slice', '{}')",
            "INSERT INTO queue_attempt (id, started_at, finished_at, attempt, worker, code, message)
                VALUES (900001, now(), now(), 1, 'one', 'FLAKY', 'a' || chr(27) || chr(10) || 'b')",
        ],
        mend: REMOVE_JOBS,
    },
    Fault {
        check: "07_hours_over_the_limit",
        sqlite: &[
            "INSERT INTO queue_budget (name, interval_us, burst, hold_us, earned_at, blocked_until, day, day_spent)
                VALUES ('tight', 60000000, 1, 0, 0, 0, 0, 0)",
            "INSERT INTO queue_tally (hour, jobs, cost, outcome, kind, group_name)
                VALUES (unixepoch() / 3600 * 3600000000, 0, 1000, 2, 'slice', 'seeded')",
        ],
        postgres: &[
            "INSERT INTO queue_budget (name, interval_us, burst, hold_us, earned_at, blocked_until, day, day_spent)
                VALUES ('tight', 60000000, 1, 0, now(), now(), current_date, 0)",
            "INSERT INTO queue_tally (hour, jobs, cost, outcome, kind, group_name)
                VALUES (date_trunc('hour', now()), 0, 1000, 2, 'slice', 'seeded')",
        ],
        mend: &["DELETE FROM queue_budget", "DELETE FROM queue_tally WHERE group_name = 'seeded'"],
    },
    Fault {
        check: "08_slices_that_failed",
        sqlite: &["INSERT INTO queue_done
                (id, created_at, finished_at, outcome, rank, max_attempts, failures, crashes, kind, code, payload)
            VALUES (900001, unixepoch() * 1000000, unixepoch() * 1000000, 1, 0, 5, 5, 0, 'slice', 'INVALID_DATA', '{}')"],
        postgres: &["INSERT INTO queue_done
                (id, created_at, finished_at, outcome, rank, max_attempts, failures, crashes, kind, code, payload)
            VALUES (900001, now(), now(), 1, 0, 5, 5, 0, 'slice', 'INVALID_DATA', '{}')"],
        mend: REMOVE_JOBS,
    },
    Fault {
        check: "09_bars_twice",
        sqlite: &["INSERT INTO store_bar (series_id, starts_at, open, high, low, close, volume, batch_id)
            SELECT series_id, starts_at + 3600, open, high, low, close, 7, batch_id
            FROM store_bar JOIN store_series USING (series_id) WHERE timeframe = 'd1' LIMIT 1"],
        postgres: &["INSERT INTO store_bar (series_id, starts_at, open, high, low, close, volume, batch_id)
            SELECT series_id, starts_at + interval '1 hour', open, high, low, close, 7, batch_id
            FROM store_bar JOIN store_series USING (series_id) WHERE timeframe = 'd1' LIMIT 1"],
        mend: &["DELETE FROM store_bar WHERE volume = 7"],
    },
    Fault {
        check: "10_coverage_disagrees",
        sqlite: &["UPDATE store_coverage SET rows = rows + 1"],
        postgres: &["UPDATE store_coverage SET rows = rows + 1"],
        mend: &["UPDATE store_coverage SET rows = rows - 1"],
    },
    Fault {
        check: "16_stuck",
        sqlite: &[
            "INSERT INTO queue_job (id, created_at, run_at, rank, max_attempts, kind, payload)
                VALUES (900001, unixepoch() * 1000000, unixepoch() * 1000000, 0, 5, 'slice', '{}')",
            "DELETE FROM queue_ready WHERE id = 900001",
            "INSERT INTO queue_lease (id, started_at, lease_until, token, worker, kind)
                VALUES (900001, (unixepoch() - 700) * 1000000, (unixepoch() + 60) * 1000000, 'x', 'hangs', 'slice')",
        ],
        postgres: &[
            "INSERT INTO queue_job (id, created_at, run_at, rank, max_attempts, kind, payload)
                VALUES (900001, now(), now(), 0, 5, 'slice', '{}')",
            "INSERT INTO queue_lease (id, started_at, lease_until, token, worker)
                VALUES (900001, now() - interval '700 s', now() + interval '60 s', gen_random_uuid(), 'hangs')",
        ],
        mend: REMOVE_JOBS,
    },
    Fault {
        check: "16_stuck",
        sqlite: &[
            "INSERT INTO queue_job (id, created_at, run_at, rank, max_attempts, kind, payload)
                VALUES (900001, unixepoch() * 1000000, unixepoch() * 1000000, 0, 5, 'slice', '{}')",
            "UPDATE queue_beat SET beat_at = beat_at - 400000000 WHERE name = 'tick'",
        ],
        postgres: &[
            "INSERT INTO queue_job (id, created_at, run_at, rank, max_attempts, kind, payload)
                VALUES (900001, now(), now(), 0, 5, 'slice', '{}')",
            "UPDATE queue_beat SET beat_at = beat_at - interval '400 s' WHERE name = 'tick'",
        ],
        mend: REMOVE_JOBS,
    },
    // The last one, since it is not mended.
    Fault {
        check: "01_views_missing",
        sqlite: &["DROP VIEW quarantine_v1"],
        postgres: &["DROP VIEW quarantine_v1"],
        mend: &[],
    },
];

async fn validate(scene: &Scene) -> Outcome {
    Child::start(env!("CARGO_BIN_EXE_validate"), &["--database", scene.url()]).end().await
}

/// The names of the queries with this mark.
fn marked<'a>(outcome: &'a Outcome, mark: &str) -> Vec<&'a str> {
    let lines = outcome.stdout.lines().filter_map(|line| line.strip_prefix(mark)?.trim_start().split(':').next());
    lines.collect()
}

async fn f56_every_check_finds_the_fault_it_is_for_and_nothing_in_a_healthy_database(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let orchestrator = Orchestrator::new(provider(&simulator), Nyse, scene.backend().await);
    let wanted = definition(Timeframe::D1);
    assert!(orchestrator.backfill(&[wanted], &CancellationToken::new()).await.unwrap().complete);

    let healthy = validate(&scene).await;
    assert_eq!(healthy.code, Some(0), "{}", healthy.stdout);
    assert_eq!((marked(&healthy, "ok").len(), marked(&healthy, "shows").len()), (11, 5), "{}", healthy.stdout);
    for shown in ["march", "AAPL", "succeeded"] {
        assert!(healthy.stdout.contains(shown), "{shown}: {}", healthy.stdout);
    }

    let mut drilled = std::collections::BTreeSet::new();
    for fault in FAULTS {
        let seed = if kind == Kind::Sqlite { fault.sqlite } else { fault.postgres };
        for statement in seed {
            scene.execute(statement).await;
        }
        let outcome = validate(&scene).await;
        let found = marked(&outcome, "FOUND");
        assert!(outcome.code == Some(1) && found.contains(&fault.check), "{}: {}", fault.check, outcome.stdout);
        assert_eq!(marked(&outcome, "FAILED"), [""; 0], "{}", outcome.stdout);
        assert!(!outcome.stdout.contains('\x1b'), "text from outside colours nothing");
        drilled.insert(fault.check);
        for statement in fault.mend {
            scene.execute(statement).await;
        }
    }
    assert_eq!(drilled.len(), 11, "every check is drilled");
}
