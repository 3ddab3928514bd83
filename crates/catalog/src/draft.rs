use std::collections::BTreeMap;
use std::str::FromStr;

use barkeep_types::{TimeRange, Timeframe};

use crate::faults::{Fault, Faults};
use crate::{Definition, Window};

/// A definition as people write it: texts, not yet checked.
///
/// ```
/// use barkeep_catalog::{Draft, Fault};
///
/// let draft = Draft {
///     name: "tech".into(),
///     symbols: vec!["AAPL".into(), "A,B".into()],
///     timeframes: vec!["1Hour".into(), "2Hour".into()],
///     days: Some(0),
///     ..Draft::default()
/// };
/// let faults = draft.check().unwrap_err();
/// assert_eq!(faults.reasons().len(), 3, "{faults}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Draft {
    /// The name.
    pub name: String,
    /// The symbols; lower case is raised.
    pub symbols: Vec<String>,
    /// The timeframes, in any spelling.
    pub timeframes: Vec<String>,
    /// The feed; `sip` if left out.
    pub feed: Option<String>,
    /// The adjustment; `raw` if left out.
    pub adjustment: Option<String>,
    /// The hours; `regular` if left out.
    pub hours: Option<String>,
    /// The last so many days. Either this, or `from` and `to`.
    pub days: Option<u32>,
    /// Where a fixed window starts.
    pub from: Option<chrono::DateTime<chrono::Utc>>,
    /// Where a fixed window ends; not included.
    pub to: Option<chrono::DateTime<chrono::Utc>>,
    /// What goes first: the higher, the earlier.
    pub priority: i16,
    /// Whether to leave it switched off.
    pub disabled: bool,
    /// The most symbols of a slice; the vendor's own limit if left out.
    pub batch_size: Option<u32>,
    /// What coarser timeframes are built from: `m1` or `m15`. Nothing is built if left out.
    pub derive_from: Option<String>,
    /// What the user says about it.
    pub labels: BTreeMap<String, String>,
}

impl Draft {
    /// Reads the texts.
    ///
    /// # Errors
    ///
    /// Every fault of the draft, not only the first.
    pub fn check(&self) -> Result<Definition, Faults> {
        let mut faults = Vec::new();
        let definition = Definition {
            name: self.name.clone(),
            symbols: parsed(&self.symbols, &mut faults),
            timeframes: parsed::<Timeframe>(&self.timeframes, &mut faults),
            feed: one(self.feed.as_deref().unwrap_or("sip"), &mut faults).unwrap_or(barkeep_types::Feed::SIP),
            adjustment: one(self.adjustment.as_deref().unwrap_or("raw"), &mut faults).unwrap_or_default(),
            hours: one(self.hours.as_deref().unwrap_or("regular"), &mut faults).unwrap_or_default(),
            window: self.window(&mut faults),
            priority: self.priority,
            enabled: !self.disabled,
            batch_size: self.batch_size,
            derive_from: self.derive_from.as_deref().and_then(|source| one(source, &mut faults)),
            labels: self.labels.clone(),
        };
        if let Err(more) = definition.check() {
            // An empty list whose every text was refused has been reported already.
            let known = |fault: &Fault| {
                matches!(fault, Fault::Missing("symbols") if !self.symbols.is_empty())
                    || matches!(fault, Fault::Missing("timeframes") if !self.timeframes.is_empty())
            };
            faults.extend(more.reasons().iter().filter(|fault| !known(fault)).cloned());
        }
        Faults::none_or(faults).map(|()| definition)
    }

    /// The window; where there is none, a valid stand-in beside the fault.
    fn window(&self, faults: &mut Vec<Fault>) -> Window {
        const STAND_IN: Window = Window::LastDays(1);
        match (self.days, self.from, self.to) {
            (Some(days), None, None) => Window::LastDays(days),
            (None, Some(from), Some(to)) => match TimeRange::new(from, to) {
                Ok(range) => Window::Fixed(range),
                Err(error) => {
                    faults.push(error.into());
                    STAND_IN
                }
            },
            _ => {
                faults.push(Fault::Missing("window: give days, or from and to"));
                STAND_IN
            }
        }
    }
}

/// A definition, to be changed.
impl From<&Definition> for Draft {
    fn from(definition: &Definition) -> Self {
        let (days, fixed) = match definition.window {
            Window::LastDays(days) => (Some(days), None),
            Window::Fixed(range) => (None, Some(range)),
        };
        Self {
            name: definition.name.clone(),
            symbols: definition.symbols.iter().map(ToString::to_string).collect(),
            timeframes: definition.timeframes.iter().map(ToString::to_string).collect(),
            feed: Some(definition.feed.to_string()),
            adjustment: Some(definition.adjustment.to_string()),
            hours: Some(definition.hours.to_string()),
            days,
            from: fixed.map(|range| range.start()),
            to: fixed.map(|range| range.end()),
            priority: definition.priority,
            disabled: !definition.enabled,
            batch_size: definition.batch_size,
            derive_from: definition.derive_from.map(|source| source.to_string()),
            labels: definition.labels.clone(),
        }
    }
}

fn parsed<T: FromStr>(texts: &[String], faults: &mut Vec<Fault>) -> Vec<T>
where
    Fault: From<T::Err>,
{
    texts.iter().filter_map(|text| one(text, faults)).collect()
}

fn one<T: FromStr>(text: &str, faults: &mut Vec<Fault>) -> Option<T>
where
    Fault: From<T::Err>,
{
    text.parse().map_err(|error: T::Err| faults.push(error.into())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_draft_of_a_definition_reads_back_as_the_same() {
        let preset = crate::presets::tech20();
        let at = |day: i64| chrono::DateTime::from_timestamp(day * 86_400, 0).unwrap();
        let fixed = Window::Fixed(TimeRange::new(at(1), at(9)).unwrap());
        let built = Definition { derive_from: Some(Timeframe::M1), batch_size: Some(50), ..preset.clone() };
        let built = Definition { window: fixed, enabled: false, priority: 3, ..built };
        for definition in [preset, built] {
            assert_eq!(Draft::from(&definition).check(), Ok(definition));
        }
    }
}
