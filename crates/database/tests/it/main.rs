//! Real files, real servers, real processes that hang.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

#[cfg(feature = "postgres")]
mod conflicts;
#[cfg(feature = "postgres")]
mod keeping;
#[cfg(feature = "sqlite")]
mod openers;
#[cfg(feature = "postgres")]
mod pooled;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
