use super::*;

#[derive(Debug)]
struct Row {
    date: NaiveDate,
    open: chrono::DateTime<chrono::Utc>,
    close: chrono::DateTime<chrono::Utc>,
}

fn rows() -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(include_str!("../../testdata/xnys_sessions.csv").as_bytes());
    reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            Row {
                date: record[0].parse().unwrap(),
                open: record[1].parse().unwrap(),
                close: record[2].parse().unwrap(),
            }
        })
        .collect()
}

#[test]
fn rules_and_table_agree_for_every_date_of_the_table() {
    let rows = rows();
    let (first, last) = (NaiveDate::from_ymd_opt(1990, 1, 1).unwrap(), NaiveDate::from_ymd_opt(2026, 12, 31).unwrap());
    let mut expected = rows.iter().peekable();
    for date in first.iter_days().take_while(|date| *date <= last) {
        let row = expected.next_if(|row| row.date == date);
        let session = Nyse.session(date);
        assert_eq!(
            session.map(|session| (session.open(), session.close())),
            row.map(|row| (row.open, row.close)),
            "{date}"
        );
    }
    assert!(expected.next().is_none() && rows.len() == 9_318);
}
