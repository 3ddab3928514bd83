//! How things stand, for people and pages.

use barkeep_catalog::{Definition, Rejection};
use barkeep_planner::Explanation;
use barkeep_queue::{Counts, FinishedJob};
use barkeep_types::Series;

use crate::clock::Moment;
use crate::plan::{Group, Wanted};
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
    /// How many looks at what was suspicious are in which state.
    pub rechecks: Counts,
    /// The latest slices that failed for good or were cancelled.
    pub failed: Vec<FinishedJob>,
    /// What the vendor refuses.
    pub rejected: Vec<Rejection>,
}

pub(crate) async fn status(orchestrator: &Orchestrator) -> Result<Status> {
    let backend = orchestrator.backend();
    let mut counts = backend.inspect.counts().await?;
    Ok(Status {
        definitions: backend.catalog.list().await?,
        slices: counts.remove(SliceJob::KIND).unwrap_or_default(),
        rechecks: counts.remove(SliceJob::RECHECK).unwrap_or_default(),
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
    let symbols = std::slice::from_ref(&series.symbol);
    if !definition.symbols.contains(&series.symbol) {
        return Ok(Vec::new());
    }
    let wanted = Wanted { definition, timeframe: series.timeframe, symbols };
    let moment = Moment::now(orchestrator).await?;
    Ok(Group::look(orchestrator, wanted, &taken, moment).await?.explain(series))
}
