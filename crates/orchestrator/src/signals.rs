use tokio_util::sync::CancellationToken;

/// A token that Ctrl-C cancels, and on Unix SIGTERM too: slices in hand go back to the queue and the program ends well.
/// A second signal ends the process at once, with exit code 130.
///
/// For programs of their own; one that embeds barkeep cancels a token of its own making.
#[must_use]
pub fn stop_on_signals() -> CancellationToken {
    let token = CancellationToken::new();
    let stop = token.clone();
    tokio::spawn(async move {
        signal().await;
        stop.cancel();
        signal().await;
        std::process::exit(130);
    });
    token
}

async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
