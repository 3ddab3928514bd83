//! Telling people: concerns of the health, through a notifier, once each.

use barkeep_notify::{Notifier, Reminders};
use tokio_util::sync::CancellationToken;

use crate::{Orchestrator, metrics};

/// Reviews the health until `stop` is cancelled, and once more then: the reason why everything stops is worth telling.
pub(crate) async fn notify(
    orchestrator: &Orchestrator,
    notifier: &dyn Notifier,
    mut reminders: Reminders,
    stop: &CancellationToken,
) {
    let mut beat = tokio::time::interval(orchestrator.settings().look_every);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let is_last = tokio::select! {
            _ = beat.tick() => false,
            () = stop.cancelled() => true,
        };
        review(orchestrator, notifier, &mut reminders).await;
        if is_last {
            return;
        }
    }
}

async fn review(orchestrator: &Orchestrator, notifier: &dyn Notifier, reminders: &mut Reminders) {
    let health = orchestrator.health().await;
    for notice in reminders.review(health.at, &orchestrator.settings().name, &health.concerns) {
        let delivered = notifier.notify(&notice).await;
        metrics::noticed(delivered.is_ok());
        match delivered {
            Ok(()) => reminders.told(&notice),
            Err(error) => {
                let (rule, code) = (notice.concern.rule.as_str(), error.code());
                tracing::warn!(rule, code, "a notice was not delivered; it is offered again");
            }
        }
    }
}
