//! What a page asks of the database, answered in values.

use barkeep_types::{Series, TimeRange};

use crate::columns::Columns as _;
use crate::statements::{Identity, Session};
use crate::{Error, ProviderName, Result, Span, row};

/// The series as they are known, in order; and whether the page of that digest is.
pub(crate) async fn identities(
    session: &mut impl Session,
    provider: &ProviderName,
    series: &[&Series],
    digest: Option<&[u8; 16]>,
) -> Result<Vec<Option<Identity>>> {
    row::one_by_question(series.len(), &session.identify(provider, series, digest).await?, row::identity)
}

/// The spans that overlap or touch each range.
pub(crate) async fn spans(session: &mut impl Session, ranges: &[(i32, TimeRange)]) -> Result<Vec<Vec<Span>>> {
    row::by_question(ranges.len(), &session.spans(ranges).await?, row::span)
}

/// How many bars are within each range.
pub(crate) async fn counts(session: &mut impl Session, ranges: &[(i32, TimeRange)]) -> Result<Vec<u64>> {
    let counts = row::one_by_question(ranges.len(), &session.count(ranges).await?, |row, at| row.integer(at))?;
    counts.into_iter().map(|count| u64::try_from(count.unwrap_or_default()).map_err(Error::corrupt)).collect()
}
