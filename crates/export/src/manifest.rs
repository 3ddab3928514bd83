use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Error, Format, Partition, Result, Trace};

/// What an export holds: `_manifest.json` at its root.
///
/// It is written after the files it names. Where a run was cut short, files may be newer than it says: their hashes tell,
/// and the next run puts it right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Manifest {
    /// The version of the manifest's own layout.
    pub version: u32,
    /// The types of the columns, the same in every file.
    pub format: Format,
    /// Every file, by path.
    pub partitions: Vec<Entry>,
}

/// One file of an export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Entry {
    /// Where it is, within the export.
    pub path: String,
    /// Whose bars of which year it holds.
    #[serde(flatten)]
    pub partition: Partition,
    /// How many bars it holds; at least one.
    pub rows: u64,
    /// Where its first bar starts.
    pub first: DateTime<Utc>,
    /// Where its last bar starts.
    pub last: DateTime<Utc>,
    /// How long it is.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// The types of its columns: those of the manifest, unless a run was cut short.
    pub format: Format,
    /// What the store told of the year before its bars were read: as long as it tells the same, they need not be read again.
    /// `None` if it could not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
}

impl Manifest {
    /// The layout that this version of barkeep reads and writes.
    pub const VERSION: u32 = 1;
    /// Readers of whole folders leave out what starts with an underscore.
    pub(crate) const PATH: &str = "_manifest.json";

    pub(crate) fn new(format: Format) -> Self {
        Self { version: Self::VERSION, format, partitions: Vec::new() }
    }

    pub(crate) fn read(json: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let unusable = |what: String| Error::Manifest { what };
        let Version { version } = serde_json::from_slice(json).map_err(|error| unusable(error.to_string()))?;
        if version != Self::VERSION {
            return Err(unusable(format!("its layout has version {version}, and this is version {}", Self::VERSION)));
        }
        let mut manifest: Self = serde_json::from_slice(json).map_err(|error| unusable(error.to_string()))?;
        // A path is never taken on trust.
        if let Some(entry) = manifest.partitions.iter().find(|entry| entry.path != entry.partition.path()) {
            return Err(unusable(format!("it looks for {} in another place", entry.partition.path())));
        }
        manifest.partitions.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(manifest)
    }

    pub(crate) fn written(&self) -> Result<Vec<u8>> {
        let mut json = serde_json::to_vec_pretty(self).map_err(Error::encoding)?;
        json.push(b'\n');
        Ok(json)
    }

    /// The file of a partition, if there is one.
    pub fn entry(&self, partition: &Partition) -> Option<&Entry> {
        let place = self.place(&partition.path()).ok()?;
        self.partitions.get(place)
    }

    pub(crate) fn put(&mut self, entry: Entry) {
        match self.place(&entry.path) {
            Ok(place) => self.partitions[place] = entry,
            Err(place) => self.partitions.insert(place, entry),
        }
    }

    fn place(&self, path: &str) -> Result<usize, usize> {
        self.partitions.binary_search_by(|entry| entry.path.as_str().cmp(path))
    }
}
