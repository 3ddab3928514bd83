//! What every memory of rejections must do.

use barkeep_types::{Adjustment, Feed, Series, Timeframe};

use crate::Rejections;

fn series(symbol: &str, timeframe: Timeframe) -> Series {
    let symbol = symbol.parse().expect("a test's symbol");
    Series { symbol, timeframe, feed: Feed::SIP, adjustment: Adjustment::SPLIT | Adjustment::DIVIDEND }
}

async fn listed(rejections: &dyn Rejections) -> Vec<(Series, String, String)> {
    let all = rejections.rejections().await.expect("rejections are read");
    all.into_iter().map(|rejection| (rejection.series, rejection.code, rejection.reason)).collect()
}

async fn reject(rejections: &dyn Rejections, series: &Series, code: &str, reason: &str) {
    rejections.reject(series, code, reason).await.expect("the rejection is stored");
}

/// What was refused is listed by series, and the latest reason counts.
pub async fn what_was_refused_is_remembered_with_its_latest_reason(rejections: &dyn Rejections) {
    let (hourly, daily) = (series("3USL", Timeframe::H1), series("3USL", Timeframe::D1));
    reject(rejections, &hourly, "SYMBOL_NOT_FOUND", "who?").await;
    reject(rejections, &daily, "INVALID_SYMBOL", "digits; 'quoted'").await;
    reject(rejections, &hourly, "INVALID_SYMBOL", "invalid symbol: 3USL").await;
    let code = "INVALID_SYMBOL".to_owned();
    let first = (hourly, code.clone(), "invalid symbol: 3USL".to_owned());
    let second = (daily, code, "digits; 'quoted'".to_owned());
    assert_eq!(listed(rejections).await, [first, second]);
}

/// What is forgiven is asked for again; the rest stays refused.
pub async fn what_is_forgiven_is_forgotten(rejections: &dyn Rejections) {
    let (bad, worse) = (series("A", Timeframe::H1), series("B", Timeframe::H1));
    for series in [&bad, &worse] {
        reject(rejections, series, "INVALID_SYMBOL", "no").await;
    }
    let unknown = series("C", Timeframe::H1);
    assert_eq!(rejections.forgive(&[bad, unknown]).await.expect("it is forgiven"), 1);
    assert_eq!(listed(rejections).await, [(worse, "INVALID_SYMBOL".to_owned(), "no".to_owned())]);
}
