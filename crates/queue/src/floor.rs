use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Where a claim stopped in the order in which jobs are served: rank, run_at in microseconds, id.
pub(crate) type Place = (i16, i64, i64);

/// How long a claim may start where the one before it stopped. What came to stand before that place in the meantime (a more
/// urgent job of another process, a late commit) is overlooked for no longer than this.
const LIFE: Duration = Duration::from_secs(1);

/// Where to start looking for jobs, by kind: a hint, kept in memory, that costs nothing if it is lost.
///
/// PostgreSQL keeps what was claimed in the index until no snapshot is left that might see it. Under an old snapshot a claim
/// would read through all of it, and take the longer the more jobs have gone through.
#[derive(Clone, Debug, Default)]
pub(crate) struct Floors {
    kinds: Arc<Mutex<HashMap<String, Floor>>>,
}

#[derive(Clone, Copy, Debug)]
struct Floor {
    place: Place,
    set_at: Instant,
    moved_us: i64,
}

impl Floors {
    /// Where to start for this kind.
    pub(crate) fn get(&self, kind: &str, moved_us: i64) -> Option<Place> {
        let floors = self.lock();
        let floor = floors.get(kind).filter(|floor| floor.moved_us == moved_us && floor.set_at.elapsed() < LIFE)?;
        Some(floor.place)
    }

    /// Remembers where a claim stopped that found all it asked for; forgets it otherwise, to look at everything again.
    pub(crate) fn claimed(&self, kind: &str, moved_us: i64, started_at: Option<Place>, stopped_at: Option<Place>) {
        let mut floors = self.lock();
        let Some(place) = stopped_at else {
            floors.remove(kind);
            return;
        };
        let now = Instant::now();
        // A floor lives from the last look at everything, not from the last claim.
        let set_at = match (started_at, floors.get(kind)) {
            (Some(_), Some(floor)) => floor.set_at,
            (Some(_), None) => return,
            (None, _) => now,
        };
        floors.insert(kind.to_owned(), Floor { place, set_at, moved_us });
    }

    /// Whether a new job of this rank would stand before the floor.
    pub(crate) fn is_above(&self, kind: &str, rank: i16) -> bool {
        self.lock().get(kind).is_some_and(|floor| rank < floor.place.0)
    }

    /// Forgets everything: some job may have come to stand anywhere.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Floor>> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
