use std::str::FromStr;

/// What a subscription allows.
///
/// ```
/// use barkeep_alpaca_sim::Plan;
///
/// assert_eq!("basic".parse(), Ok(Plan::BASIC));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub(crate) requests_a_minute: Option<u32>,
    pub(crate) recent_sip: bool,
}

/// A text that names no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid plan: expected basic, plus or unlimited")]
pub struct InvalidPlan;

impl Plan {
    /// Free of charge: 200 requests a minute, and no consolidated data of the latest 15 minutes.
    pub const BASIC: Self = Self { requests_a_minute: Some(200), recent_sip: false };
    /// Paid: 10,000 requests a minute, and all data.
    pub const PLUS: Self = Self { requests_a_minute: Some(10_000), recent_sip: true };
    /// What no one can buy: any number of requests, and all data.
    pub const UNLIMITED: Self = Self { requests_a_minute: None, recent_sip: true };

    /// The same plan with another limit.
    #[must_use]
    pub const fn with_requests_a_minute(self, limit: u32) -> Self {
        Self { requests_a_minute: Some(limit), ..self }
    }
}

impl FromStr for Plan {
    type Err = InvalidPlan;

    fn from_str(text: &str) -> Result<Self, InvalidPlan> {
        match text {
            "basic" => Ok(Self::BASIC),
            "plus" => Ok(Self::PLUS),
            "unlimited" => Ok(Self::UNLIMITED),
            _ => Err(InvalidPlan),
        }
    }
}
