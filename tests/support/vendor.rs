use barkeep_alpaca_sim::{AlpacaSim, Market};

use crate::Child;

/// A simulator in the test's own process: it outlives the children that ask it, and knows what they asked.
#[derive(Debug)]
pub struct Vendor {
    /// The simulator.
    pub simulator: AlpacaSim,
}

/// Credentials that must appear in no output and in no database.
pub const CANARIES: [&str; 2] = ["CANARYKEY7Q2", "canary-secret-9f31"];

impl Vendor {
    /// Starts it, without a request limit.
    ///
    /// # Panics
    ///
    /// If there is no port to be had.
    pub async fn start() -> Self {
        let simulator = AlpacaSim::options().with_market(Market::new(1)).start().await.unwrap();
        Self { simulator }
    }

    /// Starts a program that takes the simulator for Alpaca itself.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start_child(&self, program: &str, arguments: &[&str]) -> Child {
        self.start_child_with(program, arguments, &[])
    }

    /// Starts it with an environment of its own on top.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start_child_with(&self, program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Child {
        let url = self.simulator.base_url();
        let vendor = [
            ("APCA_API_KEY_ID", CANARIES[0]),
            ("APCA_API_SECRET_KEY", CANARIES[1]),
            ("APCA_API_DATA_URL", url.as_str()),
        ];
        Child::start_with(program, arguments, &[&vendor[..], environment].concat())
    }
}
