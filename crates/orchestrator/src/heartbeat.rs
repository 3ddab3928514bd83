use barkeep_queue::{Extension, Lease};

use crate::Orchestrator;

/// Why a slice must be let go of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LetGo {
    /// The lease ran out: somebody else may have the slice by now.
    Lost,
    /// Somebody asked to cancel it.
    Cancelled,
}

/// Keeps a lease for as long as this is awaited; ends only when there is nothing left to keep.
pub(crate) async fn keep(orchestrator: &Orchestrator, lease: &Lease) -> LetGo {
    let length = orchestrator.settings().lease;
    loop {
        tokio::time::sleep(length / 3).await;
        match orchestrator.backend().queue.extend(&[lease.key()], length).await.as_deref() {
            Ok([Extension::Held]) => {}
            Ok([Extension::CancelRequested]) => return LetGo::Cancelled,
            Ok(_) => return LetGo::Lost,
            // The next beat may get through; if the lease runs out meanwhile, that beat will say so.
            Err(error) => tracing::warn!(job = %lease.id, code = error.code(), %error, "heartbeat failed"),
        }
    }
}
