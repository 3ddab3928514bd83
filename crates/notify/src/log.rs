use async_trait::async_trait;

use crate::{Notice, NoticeState, Notifier, Result, Severity};

/// Writes notices to the log of the program, as events with fields.
///
/// Text from outside stands in fields, where a subscriber escapes it, and never in a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Log;

impl Log {
    /// A notifier that writes to the log.
    pub fn new() -> Self {
        Self
    }
}

#[async_trait]
impl Notifier for Log {
    async fn notify(&self, notice: &Notice) -> Result<()> {
        let concern = &notice.concern;
        let (rule, subject, reason) = (concern.rule.as_str(), concern.subject.as_str(), concern.reason.as_str());
        let first_action = concern.first_action.as_str();
        match (notice.state, concern.severity) {
            (NoticeState::Resolved, _) => tracing::info!(rule, subject, "resolved"),
            (NoticeState::Firing, Severity::Info) => tracing::info!(rule, subject, reason, first_action, "firing"),
            (NoticeState::Firing, Severity::Ticket) => tracing::warn!(rule, subject, reason, first_action, "firing"),
            (NoticeState::Firing, Severity::Page) => tracing::error!(rule, subject, reason, first_action, "firing"),
        }
        Ok(())
    }
}
