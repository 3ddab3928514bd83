//! The least there is: the same statements, cycled by pgbench, which looks at nothing but the ids.

use std::process::Stdio;

use barkeep_test_postgres::program;
use tokio::process::Command;

use crate::load::{BATCH, KIND, WORKERS};

/// Claims and completes batches until nothing is left, give or take what clients that end early leave over.
pub async fn cycle(url: &str, jobs: usize) {
    let script = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(script.path(), text()).expect("a temporary file is written");
    let pgbench = Command::new(program("pgbench"))
        .args(["-n", "-M", "prepared", "-j", "2", "-c", &WORKERS.to_string()])
        .args(["-t", &jobs.div_ceil(WORKERS * usize::from(BATCH)).to_string(), "-f"])
        .arg(script.path())
        .arg(url)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .await
        .expect("pgbench starts");
    assert!(pgbench.status.success(), "{}", String::from_utf8_lossy(&pgbench.stderr));
}

fn text() -> String {
    format!(
        "SELECT gen_random_uuid() AS token \\gset
         SELECT coalesce(array_agg(id), '{{}}') AS ids, count(*) AS claimed
         FROM barkeep.queue_claim(
             statement_timestamp(), '{KIND}', {BATCH}, statement_timestamp() + interval '60 s', :token::uuid, 'raw',
             null, null, null
         ) \\gset
         SELECT count(*)
         FROM barkeep.queue_complete(
             statement_timestamp(), :ids::bigint[], array_fill(:token::uuid, ARRAY[:claimed::int]),
             array_fill(null::text, ARRAY[:claimed::int]), array_fill(0::bigint, ARRAY[:claimed::int])
         );\n"
    )
    // A command of pgbench is a line, unless it ends in a semicolon or its like.
    .lines()
    .map(str::trim_start)
    .collect::<Vec<_>>()
    .join("\n")
}
