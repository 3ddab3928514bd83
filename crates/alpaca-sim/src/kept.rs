//! Answers kept by what was asked, so that giving them again costs no more than sending them.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDate;

/// A body as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Encoded {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) is_packed: bool,
}

/// What an answer depends on, under one set of options: path and query as they were sent, and whether gzip was asked for.
pub(crate) type Asked = (String, bool);

/// The bodies given on one day. Corporate actions happen from one day to the next, and change what was true.
#[derive(Debug)]
pub(crate) struct Kept {
    day: NaiveDate,
    bodies: HashMap<Asked, Encoded>,
    bytes: usize,
    most_bytes: usize,
}

/// As many bytes of bodies are kept, of which a page of 10,000 bars takes about a quarter of a million packed.
pub(crate) const MOST_BYTES: usize = 256 << 20;

impl Kept {
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self { day: NaiveDate::MIN, bodies: HashMap::new(), bytes: 0, most_bytes }
    }

    /// What was answered on the same day, if it was kept.
    pub(crate) fn get(&self, day: NaiveDate, asked: &Asked) -> Option<Encoded> {
        self.bodies.get(asked).filter(|_| self.day == day).cloned()
    }

    /// Keeps an answer, unless there is no room: what is kept already is as likely to be asked again.
    pub(crate) fn keep(&mut self, day: NaiveDate, asked: Asked, body: Encoded) {
        if self.day != day {
            *self = Self { day, ..Self::new(self.most_bytes) };
        }
        let bytes = body.bytes.len() + asked.0.len();
        if self.bytes + bytes <= self.most_bytes && !self.bodies.contains_key(&asked) {
            self.bytes += bytes;
            self.bodies.insert(asked, body);
        }
    }

    pub(crate) fn forget(&mut self) {
        *self = Self::new(self.most_bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONDAY: NaiveDate = NaiveDate::from_ymd_opt(2024, 3, 4).unwrap();

    fn body(bytes: usize) -> Encoded {
        Encoded { bytes: vec![7; bytes].into(), is_packed: false }
    }

    fn asked(path: &str) -> Asked {
        (path.to_owned(), true)
    }

    #[test]
    fn what_does_not_fit_is_not_kept_and_displaces_nothing() {
        let mut kept = Kept::new(100);
        for (path, bytes) in [("/a", 60), ("/b", 60), ("/c", 30)] {
            kept.keep(MONDAY, asked(path), body(bytes));
        }
        let held = ["/a", "/b", "/c"].map(|path| kept.get(MONDAY, &asked(path)).is_some());
        assert_eq!((held, kept.bytes), ([true, false, true], 94));
        // The same once more takes no more room.
        kept.keep(MONDAY, asked("/a"), body(60));
        assert_eq!(kept.bytes, 94);
    }

    #[test]
    fn another_day_is_another_truth() {
        let mut kept = Kept::new(100);
        kept.keep(MONDAY, asked("/a"), body(60));
        let tuesday = MONDAY.succ_opt().unwrap();
        assert_eq!(kept.get(tuesday, &asked("/a")), None);
        kept.keep(tuesday, asked("/b"), body(60));
        assert_eq!((kept.get(tuesday, &asked("/b")), kept.bytes), (Some(body(60)), 62), "Monday's room is free again");
    }
}
