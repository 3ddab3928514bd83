//! How things stand, for people and pages.

use barkeep_catalog::{Definition, Rejection};
use barkeep_planner::Explanation;
use barkeep_queue::{Counts, FinishedJob};
use barkeep_types::Series;

use crate::plan::Group;
use crate::taken::{Excused, Taken};
use crate::{Orchestrator, Result, SliceJob};

/// The most failures listed.
const FAILURES: u32 = 100;

/// How everything stands, over all processes that share the database.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// Every definition, enabled or not.
    pub definitions: Vec<Definition>,
    /// How many slices are in which state.
    pub slices: Counts,
    /// The latest slices that failed for good or were cancelled.
    pub failed: Vec<FinishedJob>,
    /// What the vendor refuses.
    pub rejected: Vec<Rejection>,
}

pub(crate) async fn status(orchestrator: &Orchestrator) -> Result<Status> {
    let backend = orchestrator.backend();
    Ok(Status {
        definitions: backend.catalog.list().await?,
        slices: backend.inspect.counts().await?.remove(SliceJob::KIND).unwrap_or_default(),
        failed: backend.inspect.failed(SliceJob::KIND, FAILURES).await?,
        rejected: backend.rejections.rejections().await?,
    })
}

/// Why bars of a series are missing, or not, in a definition's window. Empty for a series that the definition does not
/// name, and for one that the vendor refuses.
pub(crate) async fn explain(
    orchestrator: &Orchestrator,
    definition: &Definition,
    series: &Series,
) -> Result<Vec<Explanation>> {
    let taken = Taken::read(orchestrator.backend(), &Excused::None).await?;
    let one = Definition { symbols: vec![series.symbol.clone()], ..definition.clone() };
    Ok(Group::look(orchestrator, &one, series.timeframe, &taken).await?.explain(series))
}
