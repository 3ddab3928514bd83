use std::fmt;
use std::time::Duration;

use barkeep_types::{Bar, Symbol, TimeRange};

/// Where the next page begins. Opaque: it is the vendor's, and means something to the vendor alone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PageToken(String);

impl PageToken {
    /// The most bytes that a token may have; more is no token.
    pub const MAX_LEN: usize = 4096;

    /// Takes the vendor's text for a token; `None` if it is empty, which vendors send for "no token", or too long.
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        (1..=Self::MAX_LEN).contains(&text.len()).then_some(Self(text))
    }

    /// The vendor's text. It may hold any character: encode it where it goes into a URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PageToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.0)
    }
}

/// One answer of a provider, as it came: nothing in it has been checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// Bars by symbol, sorted by symbol; a symbol without bars may be there or not.
    pub bars: Vec<SymbolBars>,
    /// Where the next page begins; `None` on the last page.
    pub next: Option<PageToken>,
    /// The vendor's id of the request.
    pub request_id: Option<String>,
    /// What is left of the allowance of requests, if the vendor says.
    pub quota: Option<Quota>,
    /// How long the answer was, unpacked, if the client knows.
    pub bytes: Option<u64>,
}

/// The bars of one symbol.
#[derive(Clone, Debug, PartialEq)]
pub struct SymbolBars {
    /// Whose bars they are.
    pub symbol: Symbol,
    /// The bars, earliest first.
    pub bars: Vec<Bar>,
}

/// What is left of the allowance of requests, as the vendor says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The most requests in a minute.
    pub limit: u32,
    /// How many of them are left.
    pub remaining: u32,
    /// How long until there are more, by the vendor's own clock.
    pub resets_in: Option<Duration>,
}

/// Time that a page has proven for one symbol: the bars given so far are all that there are in it.
///
/// Time without a bar is proven as well: nothing traded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoverageProof {
    /// The symbol.
    pub symbol: Symbol,
    /// The time that is now known.
    pub range: TimeRange,
}

/// A page that has been checked against its request, with what it proves.
///
/// Bars are possible ([`Bar::check`]), in order, without duplicates and within the request. Each lies in a range that
/// this page proves or one before it did: the last bar of a page that has a token is held back until the next page shows
/// that it was whole. Committing bars and proofs together, page by page, therefore never claims too much.
#[derive(Clone, Debug, PartialEq)]
pub struct ProvenPage {
    /// Bars by symbol, sorted by symbol, none of them empty.
    pub bars: Vec<SymbolBars>,
    /// What this page newly proves, sorted by symbol. The proofs of all pages are disjoint, and when a stream ends without
    /// an error they are all that was asked for.
    pub proofs: Vec<CoverageProof>,
    /// How many bars were left out: of other symbols, outside of the range, or not starting on a whole minute.
    pub dropped: usize,
    /// How many bars came twice; the later one counts.
    pub repeated: usize,
    /// Whether no token leads on from here. More pages may come if several requests are needed.
    pub is_last: bool,
    /// The vendor's id of the request.
    pub request_id: Option<String>,
}

impl ProvenPage {
    /// How many bars the page holds.
    pub fn bar_count(&self) -> usize {
        self.bars.iter().map(|bars| bars.bars.len()).sum()
    }
}
