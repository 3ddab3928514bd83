/// How often connections of a database were waited for since it was opened: by this process, in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PoolWaits {
    /// How often one was asked for, and had, or given up.
    pub asked: u64,
    /// How often that took longer than a second.
    pub long: u64,
}
