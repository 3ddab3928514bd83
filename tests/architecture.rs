//! The arrows as drawn, and the two halves of every database crate side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

type Arrows = BTreeMap<String, BTreeSet<String>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The arrows that docs/architecture.md draws; a crate without a line has none.
fn drawn() -> Arrows {
    let text = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let (_, block) = text.split_once("```arrows\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let arrow = |line: &str| {
        let (from, to) = line.split_once(" -> ").unwrap();
        (from.to_owned(), to.split(' ').map(str::to_owned).collect())
    };
    block.lines().map(arrow).collect()
}

fn packages() -> Vec<Value> {
    let mut command = Command::new(env!("CARGO"));
    let output = command.args(["metadata", "--no-deps", "--format-version=1"]).current_dir(root()).output().unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// The arrows that the manifests make, development dependencies left out.
fn made() -> Arrows {
    let role = |name: &Value| name.as_str().unwrap().strip_prefix("barkeep-").map(str::to_owned);
    let mut arrows = Arrows::new();
    for package in packages() {
        let Some(from) = role(&package["name"]) else { continue };
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let normal = dependencies.filter(|dependency| dependency["kind"].is_null());
        let to: BTreeSet<String> = normal.filter_map(|dependency| role(&dependency["name"])).collect();
        if !to.is_empty() {
            arrows.insert(from, to);
        }
    }
    arrows
}

#[test]
fn crates_depend_on_each_other_as_drawn() {
    assert_eq!(made(), drawn());
}

#[test]
fn arrow_does_not_leak_out_of_export() {
    let is_arrow = |dependency: &Value| dependency["name"].as_str().unwrap().starts_with("arrow");
    let of_arrow = |package: &Value| package["dependencies"].as_array().unwrap().iter().any(is_arrow);
    let users: Vec<Value> = packages().into_iter().filter(of_arrow).collect();
    let names: Vec<&str> = users.iter().map(|package| package["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["barkeep-export"]);
}

#[test]
fn every_crate_is_named_in_the_architecture_and_has_a_readme() {
    let text = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        let folder = entry.unwrap();
        let name = folder.file_name().into_string().unwrap();
        assert!(text.contains(&format!("`crates/{name}`")), "crates/{name} is not in docs/architecture.md");
        let readme = std::fs::read_to_string(folder.path().join("README.md")).unwrap();
        assert!(readme.lines().count() > 5, "crates/{name}/README.md says next to nothing");
    }
}

/// The paths of all files below a folder, relative to it.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name: PathBuf = path.file_name().unwrap().into();
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|below| name.join(below)));
        } else {
            found.insert(name);
        }
    }
    found
}

#[test]
fn migrations_stand_under_the_same_names_for_both_databases() {
    for name in ["catalog", "queue", "store"] {
        let folder = root().join("crates").join(name).join("migrations");
        assert_eq!(files(&folder.join("postgres")), files(&folder.join("sqlite")), "crates/{name}/migrations");
    }
}

#[test]
fn no_sql_verb_is_missing_from_either_database() {
    let alone = [
        // SQLite has neither schemas nor roles, and its transaction is the lock.
        ("database", "create_schema.sql"),
        ("database", "has_ledger.sql"),
        ("database", "lock_migrations.sql"),
        ("store", "lock.sql"),
        ("store", "lock_all.sql"),
        // ... and it plans a statement once in any case.
        ("store", "reuse_plans.sql"),
        // ... nor a way to tell other processes something.
        ("queue", "notify.sql"),
        // ... nor partitions, here of a year each.
        ("store", "drop_years.sql"),
        ("store", "make_room.sql"),
        ("store", "missing_years.sql"),
        ("store", "partition.sql"),
        // PostgreSQL keeps former values in the statement that revises them.
        ("store", "keep_former_bar.sql"),
        // ... and names a batch in the statement that puts its spans: each would be a round trip.
        ("store", "insert_batch.sql"),
    ];
    for name in ["catalog", "database", "queue", "store"] {
        let folder = root().join("crates").join(name).join("sql");
        let (postgres, sqlite) = (files(&folder.join("postgres")), files(&folder.join("sqlite")));
        let differing: Vec<&PathBuf> = postgres.symmetric_difference(&sqlite).collect();
        let unexplained: Vec<_> = differing
            .into_iter()
            .filter(|file| !alone.iter().any(|(crate_, known)| *crate_ == name && Path::new(known) == file.as_path()))
            .collect();
        assert!(unexplained.is_empty(), "crates/{name}/sql: {unexplained:?}");
    }
}

#[test]
fn every_crate_forbids_unsafe_code() {
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        let library = entry.unwrap().path().join("src/lib.rs");
        let text = std::fs::read_to_string(&library).unwrap();
        assert!(text.contains("#![forbid(unsafe_code)]"), "{}", library.display());
    }
}

/// Every document that is tracked or about to be.
fn documents(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" {
            found.extend(documents(&path));
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
    found
}

#[test]
fn links_in_documents_lead_to_files_that_are_there() {
    let mut followed = 0;
    for document in documents(&root()) {
        let text = std::fs::read_to_string(&document).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| link.contains('/') || link.ends_with(".md")) {
            let path = link.split('#').next().unwrap();
            let is_elsewhere = path.contains("://") || path.contains("::") || path.is_empty();
            if !is_elsewhere {
                assert!(document.parent().unwrap().join(path).exists(), "{} links to {link}", document.display());
                followed += 1;
            }
        }
    }
    assert!(followed > 20, "only {followed} links were found");
}
