//! A channel of your own: one method. The vendor refuses the key, and whoever should know is told once.
//!
//!     cargo run -p examples --example custom_notifier

use std::time::Duration;

use async_trait::async_trait;
use barkeep_alpaca::{Alpaca, Credentials};
use barkeep_alpaca_sim::AlpacaSim;
use barkeep_calendar::Nyse;
use barkeep_orchestrator::catalog::{Definition, Narrowing, Window};
use barkeep_orchestrator::notifications::{Notice, NoticeState, Notifier, Reminders, Result};
use barkeep_orchestrator::store::ProviderName;
use barkeep_orchestrator::types::Timeframe;
use barkeep_orchestrator::{Backend, Orchestrator, Settings, in_one_line};
use tokio_util::sync::CancellationToken;

/// Writes as a chat would show it.
#[derive(Debug)]
struct Chat;

#[async_trait]
impl Notifier for Chat {
    async fn notify(&self, notice: &Notice) -> Result<()> {
        let concern = &notice.concern;
        match notice.state {
            NoticeState::Firing => println!("{}: {}\n  first: {}", concern.rule, concern.reason, concern.first_action),
            NoticeState::Resolved => println!("{}: well again", concern.rule),
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let simulator = AlpacaSim::options().with_keys("key", "secret").start().await?;
    let alpaca = Alpaca::new(Credentials::new("key", "of-last-year")?).with_base_url(&simulator.base_url())?;
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}", folder.path().join("bars.db").display());
    let backend = Backend::open(&url.parse()?, ProviderName::ALPACA).await?;
    let definition = Definition::new("daily", vec!["AAPL".parse()?], vec![Timeframe::D1], Window::LastDays(30));
    backend.catalog.upsert(&definition, Narrowing::Refuse).await?;
    let settings = Settings::default().with_look_every(Duration::from_millis(100));
    let orchestrator = Orchestrator::with_settings(alpaca, Nyse, backend, settings);

    let (stop, told) = (CancellationToken::new(), CancellationToken::new());
    let reminders = Reminders::every(Duration::from_secs(4 * 3600));
    let run = async {
        let ran = orchestrator.run(&stop).await;
        // Only now, so that the reason why it ended is told too.
        told.cancel();
        ran
    };
    let (ran, ()) = tokio::join!(run, orchestrator.notify(&Chat, reminders, &told));
    if let Err(error) = ran {
        println!("ended: {}", in_one_line(&error));
    }
    Ok(())
}
