use proptest::prelude::*;

use super::*;

fn read(json: &str) -> Contents {
    let read = any::bars(json.as_bytes()).unwrap_or_else(|error| panic!("{error}: {json}"));
    assert_agrees(json.as_bytes());
    read
}

/// Where the fast reader reads, it reads what the other does.
fn assert_agrees(json: &[u8]) {
    if let Some(plain) = plain::bars(json) {
        let any = any::bars(json).unwrap_or_else(|error| panic!("{error}: {}", json.escape_ascii()));
        // Not a number is not equal to itself.
        assert_eq!(format!("{plain:?}"), format!("{any:?}"), "{}", json.escape_ascii());
    }
}

/// The only bar of a page that has one bar.
fn bar(fields: &str) -> Bar {
    let json = format!(r#"{{"bars":{{"A":[{{{fields}}}]}},"next_page_token":null}}"#);
    read(&json).0[0].bars[0]
}

#[test]
fn a_page_of_two_symbols_and_a_token_is_read() {
    let (bars, next) = read(
        r#"{"bars":{"AAPL":[
            {"c":172.5,"h":173,"l":171.25,"n":12,"o":172,"t":"2024-03-04T14:30:00Z","v":1500,"vw":172.123456},
            {"c":172.6,"h":173,"l":171.25,"n":1,"o":172,"t":"2024-03-04T14:31:00Z","v":100,"vw":172.5}],
           "MSFT":[{"c":1,"h":1,"l":1,"n":1,"o":1,"t":"2024-03-04T14:30:00Z","v":1,"vw":1}]},
           "currency":"USD","next_page_token":"QUFQTHxNfDE="}"#,
    );
    let names: Vec<_> = bars.iter().map(|of| (of.symbol.as_str(), of.bars.len())).collect();
    assert_eq!(names, [("AAPL", 2), ("MSFT", 1)]);
    assert_eq!(next.unwrap().as_str(), "QUFQTHxNfDE=");
    let first = Bar {
        start: "2024-03-04T14:30:00Z".parse().unwrap(),
        open: 172.0,
        high: 173.0,
        low: 171.25,
        close: 172.5,
        volume: 1500.0,
        vwap: Some(172.123456),
        trade_count: Some(12),
    };
    assert_eq!(bars[0].bars[0], first);
}

#[test]
fn every_way_to_say_nothing_is_an_empty_page() {
    for json in [
        r#"{"bars":{},"next_page_token":null}"#,
        r#"{"bars":null,"next_page_token":null}"#,
        r#"{"bars":[],"next_page_token":null}"#,
        r#"{"next_page_token":null}"#,
        r#"{"bars":{}}"#,
        r#"{"bars":{},"next_page_token":""}"#,
    ] {
        assert_eq!(read(json), (vec![], None), "{json}");
    }
    let (bars, _) = read(r#"{"bars":{"A":null,"B":[]}}"#);
    assert!(bars.len() == 2 && bars.iter().all(|of| of.bars.is_empty()));
}

#[test]
fn what_is_no_page_is_refused() {
    for json in [
        "",
        "null",
        "[]",
        "7",
        r#""text""#,
        "{}",
        r#"{"message":"welcome to the hotel"}"#,
        "<html></html>",
        r#"{"bars":{}"#,
        r#"{"bars":{}} trailing"#,
        r#"{"bars":[{"t":"2024-03-04T14:30:00Z"}]}"#,
        r#"{"bars":{"A":{"t":"2024-03-04T14:30:00Z"}}}"#,
        r#"{"bars":{"A":[{"o":1}]}}"#,
        r#"{"bars":{"A":[{"t":"yesterday"}]}}"#,
        r#"{"bars":{"A":[{"t":1709562600}]}}"#,
        r#"{"bars":{"A":[{"t":"2024-03-04T14:30:00Z","o":NaN}]}}"#,
        r#"{"bars":{"A":[{"t":"2024-03-04T14:30:00Z","n":true}]}}"#,
        r#"{"bars":{"A,B":[]}}"#,
        r#"{"bars":{},"next_page_token":7}"#,
    ] {
        assert!(bars(json.as_bytes()).is_err(), "{json}");
    }
    let nested = format!(r#"{{"x":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    assert!(bars(nested.as_bytes()).is_err());
    let token = format!(r#"{{"bars":{{}},"next_page_token":"{}"}}"#, "x".repeat(5000));
    assert!(bars(token.as_bytes()).unwrap_err().to_string().contains("5000 bytes"));
}

#[test]
fn trade_count_and_vwap_may_be_absent_and_unknown_fields_present() {
    let old = bar(r#""t":"2024-03-04T14:30:00Z","o":1,"h":1,"l":1,"c":1,"v":1,"x":{"y":[1]}"#);
    assert_eq!((old.vwap, old.trade_count), (None, None));
    let null = bar(r#""t":"2024-03-04T14:30:00Z","o":1,"h":1,"l":1,"c":1,"v":1,"n":null,"vw":null"#);
    assert_eq!(old, null);
}

#[test]
fn crypto_volume_is_fractional_and_a_bar_of_quotes_has_no_vwap() {
    let traded = bar(
        r#""t":"2022-05-27T10:18:00Z","o":28999,"h":29003.5,"l":28999,"c":29003,"v":0.0103741,"n":4,"vw":29001.6385"#,
    );
    assert_eq!((traded.volume, traded.vwap), (0.010_374_1, Some(29_001.638_5)));
    let quoted = bar(r#""t":"2022-05-27T10:19:00Z","o":2,"h":2,"l":2,"c":2,"v":0,"n":0,"vw":0"#);
    assert_eq!((quoted.vwap, quoted.trade_count, quoted.check()), (None, Some(0), Ok(())));
}

#[test]
fn a_number_that_is_none_spoils_its_bar_and_not_the_page() {
    for price in ["null", r#""172.5""#, "-1", "0", "1e-400"] {
        let bar = bar(&format!(r#""t":"2024-03-04T14:30:00Z","o":{price},"h":200,"l":1,"c":100,"v":1"#));
        assert!(bar.check().is_err(), "{price}");
    }
    assert!(bar(r#""t":"2024-03-04T14:30:00Z","h":200,"l":1,"c":100,"v":1"#).check().is_err());
}

#[test]
fn a_whole_trade_count_is_read_however_it_is_printed() {
    for (count, read) in [("12", Some(12)), ("12.0", Some(12)), ("1.2e1", Some(12)), ("0.0", Some(0)), ("null", None)] {
        let bar = bar(&format!(r#""t":"2024-03-04T14:30:00Z","o":1,"h":1,"l":1,"c":1,"v":1,"n":{count}"#));
        assert_eq!((bar.trade_count, bar.check()), (read, Ok(())), "{count}");
    }
}

#[test]
fn a_trade_count_that_is_none_spoils_its_bar_and_not_the_page() {
    use barkeep_types::BarFault::TradeCountTooLarge;

    for count in ["-1", "-1.0", "0.5", "1e30", "18446744073709551616", r#""12""#, r#""many""#] {
        let bar = bar(&format!(r#""t":"2024-03-04T14:30:00Z","o":1,"h":1,"l":1,"c":1,"v":1,"n":{count}"#));
        assert_eq!(bar.check().unwrap_err().reasons(), [TradeCountTooLarge], "{count}");
    }
}

#[test]
fn decimals_are_read_exactly() {
    for text in ["3376.3001", "0.1", "172.123456", "123456789.012345", "0.000000001", "1e3"] {
        let bar = bar(&format!(r#""t":"2024-03-04T14:30:00Z","o":{text},"h":1,"l":1,"c":1,"v":1"#));
        assert_eq!(bar.open, text.parse::<f64>().unwrap(), "{text}");
    }
}

#[test]
fn every_form_of_an_instant_is_read() {
    let start = |text: &str| bar(&format!(r#""t":"{text}""#)).start.to_rfc3339();
    assert_eq!(start("2024-03-04T14:30:00Z"), "2024-03-04T14:30:00+00:00");
    assert_eq!(start("2024-03-04T14:30:00.000000000Z"), "2024-03-04T14:30:00+00:00");
    assert_eq!(start("2024-03-04T09:30:00-05:00"), "2024-03-04T14:30:00+00:00");
    assert_eq!(whole_second(b"2024-02-30T00:00:00Z"), None);
    assert_eq!(whole_second(b"2024-02-28T24:00:00Z"), None);
    assert_eq!(whole_second(b"2024-02-2xT00:00:00Z"), None);
}

/// A page as Alpaca prints it, of the fields that `of` gives each bar.
fn printed(of: &[&str]) -> String {
    let bars: Vec<String> = of.iter().map(|fields| format!("{{{fields}}}")).collect();
    let bars = bars.join(",");
    format!(r#"{{"bars":{{"AAPL":[{bars}],"BRK.B":[],"ETH/USD":[{bars}]}},"currency":"USD","next_page_token":"QQ=="}}"#)
}

const STOCK: &str =
    r#""c":189.05,"h":190.3,"l":188,"n":612345,"o":189.9987,"t":"2016-01-04T05:00:00Z","v":68123456,"vw":189.331242"#;
const CRYPTO: &str = r#""c":0.06521,"h":0.06521,"l":0.06521,"n":0,"o":0.06521,"t":"2024-03-04T14:30:00Z","v":0,"vw":0"#;
/// Of more digits than are exact in an `f64`.
const LONG: &str = r#""c":3.1,"h":3.1,"l":3.1,"n":2,"o":3.1,"t":"2024-03-04T14:31:00Z","v":1.000000000000000003,"vw":29001.638512345678"#;

#[test]
fn what_alpaca_prints_is_read_the_fast_way() {
    let json = printed(&[STOCK, CRYPTO, LONG]);
    for json in [&json, &format!("{json}\n"), r#"{"bars":{},"next_page_token":null}"#] {
        assert!(plain::bars(json.as_bytes()).is_some(), "{json}");
        read(json);
    }
}

#[test]
fn the_fast_reader_takes_nothing_that_is_no_json() {
    for number in ["01", "1.", ".5", "1.e1", "+1", "1 ", "1_000", "0x1", "1,", ""] {
        let json = printed(&[&format!(r#""t":"2024-03-04T14:30:00Z","o":{number}"#)]);
        assert!(plain::bars(json.as_bytes()).is_none(), "{number}");
    }
    for json in
        [r#"{"bars":{}"#, r#"{"bars":{},}"#, r#"{"bars":{}}}"#, "{\"bars\":{},\"\u{1}\":1}", r#"{"bars":{},"\x":1}"#]
    {
        assert!(plain::bars(json.as_bytes()).is_none(), "{json}");
    }
}

proptest! {
    #[test]
    fn a_decimal_is_read_alike_both_ways(units in any::<u64>(), fraction in "[0-9]{0,20}", shift in 0..64_u32) {
        let point = if fraction.is_empty() { "" } else { "." };
        let number = format!("{}{point}{fraction}", units >> shift);
        assert_agrees(printed(&[&format!(r#""t":"2024-03-04T14:30:00Z","v":{number},"n":{number}"#)]).as_bytes());
    }

    #[test]
    fn of_a_decimal_the_nearest_number_is_read(units in any::<u64>(), fraction in "[0-9]{1,20}", shift in 0..64_u32) {
        let number = format!("{}.{fraction}", units >> shift);
        let json = printed(&[&format!(r#""t":"2024-03-04T14:30:00Z","v":{number}"#)]);
        let (bars, _) = read(&json);
        prop_assert_eq!(bars[0].bars[0].volume, number.parse::<f64>().unwrap(), "{}", number);
    }

    #[test]
    fn whatever_becomes_of_a_page_both_ways_read_it_alike(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any_bytes()), 1..4),
    ) {
        let mut json = printed(&[STOCK, CRYPTO, LONG]).into_bytes();
        for (at, bytes) in changes {
            let at = at.index(json.len());
            json.splice(at..at + 1, bytes);
        }
        assert_agrees(&json);
    }
}

/// Some of what JSON is made of, and some of what it is not.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop::sample::select(b"\"\\{}[],:0123456789.eE+-tvnobc \n\x01\x7f\xc3\xff".to_vec());
    proptest::collection::vec(bytes, 0..3)
}
