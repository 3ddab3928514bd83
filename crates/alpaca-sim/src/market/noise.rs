//! Numbers that look random and are a pure function of where they stand.

/// A point from which numbers are drawn; cheap to copy, to branch and to draw from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// The point one step aside: drawing there tells nothing about drawing here.
    pub(crate) const fn at(self, step: i64) -> Self {
        Self(mix(self.0 ^ (step as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    pub(crate) fn named(self, name: &str) -> Self {
        name.bytes().fold(self, |point, byte| point.at(byte.into()))
    }

    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    /// From 0 up to, and not including, 1.
    pub(crate) fn unit(self) -> f64 {
        // 53 bits, so that every value is exact on every machine.
        (self.0 >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// From -1 up to, and not including, 1.
    pub(crate) fn signed(self) -> f64 {
        2.0 * self.unit() - 1.0
    }
}

/// The finalizer of splitmix64: a bijection that scatters neighbours.
const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_in_their_range_and_spread_over_it() {
        let draws: Vec<f64> = (0..10_000).map(|step| Noise::new(7).at(step).unit()).collect();
        assert!(draws.iter().all(|draw| (0.0..1.0).contains(draw)));
        let mean = draws.iter().sum::<f64>() / 10_000.0;
        assert!((0.48..0.52).contains(&mean), "{mean}");
    }

    #[test]
    fn the_same_point_always_gives_the_same_number() {
        assert_eq!(Noise::new(1).named("AAPL").at(5), Noise::new(1).named("AAPL").at(5));
        assert_ne!(Noise::new(1).named("AAPL"), Noise::new(2).named("AAPL"));
        // Fixed for ever: stored truths of other machines and versions depend on it.
        assert_eq!(Noise::new(0).bits(), 0xe220_a839_7b1d_cdaf);
    }
}
