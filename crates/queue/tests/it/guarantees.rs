//! What docs/queue-comparison.md and the README claim is held by tests that exist.

use std::path::Path;

const PAGES: [(&str, &str); 2] = [
    ("docs/queue-comparison.md", include_str!("../../../../docs/queue-comparison.md")),
    ("README.md", include_str!("../../README.md")),
];

/// All Rust code below a folder of the repository, as text.
fn code(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&code(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    text
}

/// The names of tests and of files of tests in a page's table of promises: its second column, in backticks.
fn held_by(page: &str) -> Vec<&str> {
    let table = page.split_once("| promise | held by |").unwrap().1;
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let cells = rows.filter_map(|row| row.trim_matches('|').rsplit('|').next());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn every_promise_is_held_by_a_test_that_exists() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let tests = ["queue/src", "queue/tests", "database/src", "database/tests"].map(|folder| code(&crates.join(folder)));
    let tests = tests.concat();
    for (page, text) in PAGES {
        let names = held_by(text);
        assert!(names.len() >= 10, "{page} names {names:?}");
        for name in names {
            let exists = match name.contains('/') {
                true => crates.join("queue").join(name).exists(),
                false => tests.contains(&format!("fn {name}(")),
            };
            assert!(exists, "{page} names {name}, which does not exist");
        }
    }
}
