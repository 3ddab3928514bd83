#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod error;
mod log;
mod notice;
mod notifier;
#[cfg(feature = "webhook")]
mod public;
mod reminders;
#[cfg(feature = "webhook")]
mod webhook;

pub use error::{BoxError, Error, Result};
pub use log::Log;
pub use notice::{Concern, Notice, NoticeState, Severity};
pub use notifier::Notifier;
pub use reminders::Reminders;
#[cfg(feature = "webhook")]
pub use webhook::{SIGNATURE_HEADER, TIMESTAMP_HEADER, Webhook, WebhookOptions};
