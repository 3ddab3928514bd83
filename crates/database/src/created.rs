//! What migrations made, and whether it is still there.

use std::collections::HashSet;

use crate::{Error, Migrations, Result};

/// The kinds of things that are looked for by their names.
const KINDS: [&str; 5] = ["TABLE", "INDEX", "VIEW", "FUNCTION", "TRIGGER"];

impl Migrations {
    /// Refuses a database that lacks something of what the steps have made: others dropped or renamed it. An index would not
    /// be missed by any statement, only by whoever waits for it.
    pub(crate) fn check(&self, found: &[String]) -> Result<()> {
        let found: HashSet<&str> = found.iter().map(String::as_str).collect();
        let created = self.steps.iter().flat_map(|step| created(step.sql));
        let missing = created.filter(|(_, name)| !found.contains(name));
        let missing: Vec<String> = missing.map(|(kind, name)| format!("{kind} {name}")).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let what = format!("it lacks {} of {}", missing.join(", "), self.component);
        Err(Error::Drifted { what, source: None })
    }
}

/// Every `CREATE ... name` of a script, as kind and name without schema; not those whose names the script makes up as it
/// runs.
fn created(sql: &str) -> impl Iterator<Item = (String, &str)> {
    let lines = sql.lines().filter_map(|line| line.strip_prefix("CREATE "));
    lines.filter_map(|line| {
        let mut words = line.split_whitespace();
        let kind = words.find(|word| KINDS.contains(word))?;
        let name = words.next()?.split('(').next()?;
        let name = name.rsplit_once('.').map_or(name, |(_, name)| name);
        Some((kind.to_lowercase(), name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_script_creates_is_known_by_kind_and_name() {
        let sql = "-- Bars.\nCREATE TABLE barkeep.bar (\n    id int\n);\nCREATE UNIQUE INDEX bar_id ON barkeep.bar (id);\n\
            CREATE OR REPLACE FUNCTION barkeep.count_bars(of text) RETURNS int\nBEGIN\n    \
            EXECUTE 'CREATE TABLE barkeep.bar_%I';\nEND;\nCREATE TRIGGER bar_comes AFTER INSERT ON bar";
        let created: Vec<String> = created(sql).map(|(kind, name)| format!("{kind} {name}")).collect();
        assert_eq!(created, ["table bar", "index bar_id", "function count_bars", "trigger bar_comes"]);
    }
}
