//! What the pages prove: that it is everything in the end, and never too much on the way.

use std::collections::BTreeMap;

use barkeep_types::{Bar, Coverage, Symbol};

use super::Subject;
use super::differences::{BySymbol, assert_same};

/// What pages prove never overlaps, and in the end nothing is missing.
pub async fn proofs_are_disjoint_and_together_the_whole_request(subject: Subject) {
    let mut proven_of: BTreeMap<Symbol, Coverage> = BTreeMap::new();
    for proof in subject.proven(&subject.request).await.into_iter().flat_map(|page| page.proofs) {
        let coverage = proven_of.entry(proof.symbol.clone()).or_default();
        let is_new = !coverage.ranges().iter().any(|range| range.overlaps(&proof.range));
        assert!(is_new, "{} is proven twice over {}", proof.symbol, proof.range);
        coverage.insert(proof.range);
    }
    for symbol in subject.accepted(&subject.request).await.symbols() {
        let proven = proven_of.remove(symbol).unwrap_or_default();
        assert_eq!(proven.ranges(), [subject.request.range()], "what is proven of {symbol}, and what was asked for");
    }
}

/// Every bar in a proven range was given by then, and every bar that was given lies in one.
pub async fn proofs_never_claim_too_much(subject: Subject) {
    let truth = subject.truth();
    let (mut given, mut proven_of) = (BySymbol::new(), BTreeMap::<Symbol, Coverage>::new());
    for (number, page) in subject.proven(&subject.request).await.into_iter().enumerate() {
        for of in page.bars {
            given.entry(of.symbol).or_default().extend(of.bars);
        }
        for proof in page.proofs {
            proven_of.entry(proof.symbol).or_default().insert(proof.range);
        }
        let mut claimed = BySymbol::new();
        for (symbol, coverage) in &proven_of {
            let bars = truth.get(symbol).map(Vec::as_slice).unwrap_or_default();
            let within: Vec<Bar> = bars.iter().filter(|bar| coverage.contains(bar.start)).copied().collect();
            if !within.is_empty() {
                claimed.insert(symbol.clone(), within);
            }
        }
        assert_same(&format!("after page {}, of what is proven", number + 1), &given, &claimed);
    }
}
