//! What the benches share: made-up universes, and how a ratio is printed.

pub mod universe;

/// Prints a ratio that a reader or a script can check.
pub fn print_ratio(name: &str, value: f64) {
    println!("ratio {name} {value:.4}");
}

/// Whether to measure, as `cargo bench` does, or only to show that the bench runs, as `cargo test` does.
pub fn is_measuring() -> bool {
    std::env::args().any(|argument| argument == "--bench") && !std::env::args().any(|argument| argument == "--test")
}
