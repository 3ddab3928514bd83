use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// The name of the PostgreSQL schema that holds barkeep's tables: `barkeep`, unless chosen otherwise.
///
/// 1 to 63 lower-case letters, digits and `_`, the first not a digit: nothing in it needs escaping, and nothing in it
/// can end the statement it is put in.
///
/// ```
/// use barkeep_database::SchemaName;
///
/// assert!("bars_of_desk_7".parse::<SchemaName>().is_ok());
/// assert!("bars; DROP TABLE x".parse::<SchemaName>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SchemaName(Cow<'static, str>);

/// A text that cannot name a schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid schema name {0:?}: expected 1 to 63 lower-case letters, digits or '_', not starting with a digit")]
pub struct InvalidSchemaName(pub String);

impl SchemaName {
    /// The schema that SQL files name, and the default.
    pub const BARKEEP: Self = Self(Cow::Borrowed("barkeep"));

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A statement written for the schema `barkeep`, told for this one.
    #[cfg(any(test, feature = "postgres"))]
    pub(crate) fn told(&self, statement: &'static str) -> Cow<'static, str> {
        if *self == Self::BARKEEP {
            return Cow::Borrowed(statement);
        }
        // Quoted, since the name may be a word of SQL.
        Cow::Owned(statement.replace("barkeep.", &format!("\"{}\".", self.0)))
    }
}

impl Default for SchemaName {
    fn default() -> Self {
        Self::BARKEEP
    }
}

impl FromStr for SchemaName {
    type Err = InvalidSchemaName;

    fn from_str(text: &str) -> std::result::Result<Self, InvalidSchemaName> {
        let starts_well = text.bytes().next().is_some_and(|first| first.is_ascii_lowercase() || first == b'_');
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if starts_well && text.len() <= 63 && text.bytes().all(allowed) {
            Ok(Self(Cow::Owned(text.to_owned())))
        } else {
            Err(InvalidSchemaName(text.to_owned()))
        }
    }
}

impl fmt::Display for SchemaName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_accepted_name_cannot_end_the_statement_it_is_put_in(text in "\\PC{0,80}") {
            if let Ok(name) = text.parse::<SchemaName>() {
                prop_assert!(name.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
            }
        }
    }

    #[test]
    fn statements_are_told_for_the_chosen_schema() {
        let statement = "SELECT 1 FROM barkeep.queue_job JOIN barkeep.queue_ready USING (id)";
        assert_eq!(SchemaName::BARKEEP.told(statement), statement);
        let chosen: SchemaName = "user".parse().unwrap();
        assert_eq!(chosen.told(statement), r#"SELECT 1 FROM "user".queue_job JOIN "user".queue_ready USING (id)"#);
    }
}
