//! Notices by e-mail. Without SMTP_URL (smtps://user:password@host) the letter is printed instead of sent.
//!
//!     cargo run -p examples --example notify_by_email

use std::error::Error as StdError;

use async_trait::async_trait;
use barkeep_orchestrator::notifications::{
    BoxError, Concern, Error, Notice, NoticeState, Notifier, Reminders, Result, Severity,
};
use lettre::message::Mailbox;
use lettre::transport::stub::AsyncStubTransport;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

/// Sends through any transport of lettre.
#[derive(Debug)]
struct Mail<T> {
    transport: T,
    from: Mailbox,
    to: Mailbox,
}

#[async_trait]
impl<T> Notifier for Mail<T>
where
    T: AsyncTransport<Error: Into<BoxError> + Send> + std::fmt::Debug + Send + Sync + 'static,
    T::Ok: Send,
{
    async fn notify(&self, notice: &Notice) -> Result<()> {
        let Concern { rule, reason, first_action, .. } = &notice.concern;
        let state = if notice.state == NoticeState::Firing { "firing" } else { "resolved" };
        // The builder encodes what could end a header, and refuses what it cannot.
        let letter = Message::builder()
            .from(self.from.clone())
            .to(self.to.clone())
            .subject(format!("[barkeep] {rule} {state}"))
            .body(format!("{reason}\n\nFirst: {first_action}\n\nSince {} on {}\n", notice.since, notice.source))
            .map_err(|_| Error::Setup("the letter cannot be written"))?;
        self.transport.send(letter).await.map(drop).map_err(|error| Error::Unavailable(error.into()))
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn StdError>> {
    let (from, to) = ("barkeep <barkeep@example.com>".parse()?, "ops@example.com".parse()?);
    let dead = Concern {
        rule: "DeadJobs".into(),
        subject: String::new(),
        severity: Severity::Ticket,
        reason: "2 slices failed for good within the hour: INVALID_DATA 2".into(),
        first_action: "read the failures by code, mend the cause, then retry what failed".into(),
    };
    // Orchestrator::notify does this with the concerns of its health, again and again.
    let mut reminders = Reminders::every(std::time::Duration::from_secs(4 * 3600));
    let notice = reminders.review("2026-11-20T21:00:00Z".parse()?, "host-1", &[dead]).remove(0);
    if let Ok(url) = std::env::var("SMTP_URL") {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&url)?.build();
        Mail { transport, from, to }.notify(&notice).await?;
    } else {
        let transport = AsyncStubTransport::new_ok();
        Mail { transport: transport.clone(), from, to }.notify(&notice).await?;
        for (_, letter) in transport.messages().await {
            println!("{letter}");
        }
    }
    Ok(())
}
