//! What can go wrong on purpose.

mod answer;
mod number;
mod page;
mod script;
mod wire;

pub use answer::{AnswerFault, RetryAfter};
pub use number::NumberFault;
pub use page::PageFault;
pub use script::Injection;
pub(crate) use script::Script;
pub use wire::WireFault;

/// One thing that goes wrong with one answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// Another answer than the true one, in well-formed HTTP.
    Answer(AnswerFault),
    /// A page whose bars or token are not what they should be.
    Page(PageFault),
    /// A page with one impossible number.
    Number(NumberFault),
    /// An answer that does not arrive as HTTP should.
    Wire(WireFault),
}

impl Fault {
    /// The faults that pass: a client that tries again gets the truth.
    pub fn transient() -> Vec<Self> {
        let statuses = [500, 502, 503, 504]
            .into_iter()
            .flat_map(|status| [AnswerFault::Status(status), AnswerFault::HtmlStatus(status)]);
        let answers =
            [AnswerFault::TooManyRequests(RetryAfter::Seconds(1)), AnswerFault::TruncatedJson, AnswerFault::EmptyBody];
        let wire = [
            WireFault::CloseBeforeAnswer,
            WireFault::Reset,
            WireFault::ResetMidBody,
            WireFault::LengthTooLong,
            WireFault::CorruptGzip,
        ];
        statuses.chain(answers).map(Self::from).chain(wire.into_iter().map(Self::from)).collect()
    }
}

impl From<AnswerFault> for Fault {
    fn from(fault: AnswerFault) -> Self {
        Self::Answer(fault)
    }
}

impl From<PageFault> for Fault {
    fn from(fault: PageFault) -> Self {
        Self::Page(fault)
    }
}

impl From<NumberFault> for Fault {
    fn from(fault: NumberFault) -> Self {
        Self::Number(fault)
    }
}

impl From<WireFault> for Fault {
    fn from(fault: WireFault) -> Self {
        Self::Wire(fault)
    }
}
