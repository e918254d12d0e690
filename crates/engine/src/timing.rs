//! How long commands take, by name: counts, sums, and quantiles over the last ten minutes. Reads
//! no clock: times are passed in.

/// What quantiles look back on, and in how many steps it is forgotten.
const WINDOW_NS: u64 = 120_000_000_000;
const WINDOWS: u64 = 5;
/// Durations are told apart within an eighth: so many buckets lie between two powers of two.
const BUCKETS_PER_OCTAVE: u64 = 8;
/// Below 2^6 nanoseconds and above 2^40, some 18 minutes, all are alike.
const OCTAVE_MIN: u64 = 6;
const OCTAVE_MAX: u64 = 40;
const BUCKETS: usize = ((OCTAVE_MAX - OCTAVE_MIN) * BUCKETS_PER_OCTAVE) as usize;
/// The name under which requests are counted that name no command.
const UNKNOWN_NAME: &str = "unknown";

/// The commands of one name; a place in [`Timing`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Series(u16);

impl Series {
    /// All requests that name no command, so that clients can't make up names.
    pub const UNKNOWN: Series = Series(0);
}

/// What became of the commands of one name.
pub struct Durations<'t> {
    /// Lower case.
    pub name: &'t str,
    /// How many there were.
    pub count: u64,
    /// What they took together.
    pub sum_ns: u64,
    recent: Vec<u64>,
}

#[derive(Default)]
struct Counted {
    count: u64,
    sum_ns: u64,
    windows: [Window; WINDOWS as usize],
}

#[derive(Default)]
struct Window {
    number: u64,
    buckets: Vec<u32>,
}

/// How long commands took.
pub struct Timing {
    names: Vec<String>,
    counted: Vec<Counted>,
    /// From which duration on commands are slow, and told one by one; `u64::MAX` for never.
    pub slow_ns: u64,
}

impl Default for Timing {
    fn default() -> Self {
        let names = vec![UNKNOWN_NAME.to_string()];
        Timing { names, counted: vec![Counted::default()], slow_ns: u64::MAX }
    }
}

impl Timing {
    /// The series of a command, which is called by the first word of its name.
    pub fn series(&mut self, command: &str) -> Series {
        let name = command.split(' ').next().unwrap_or_default().to_ascii_lowercase();
        let index = self.names.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.names.push(name);
            self.counted.push(Counted::default());
            self.names.len() - 1
        });
        Series(index as u16)
    }

    /// Counts commands that took so long together, each about the same.
    pub fn record(&mut self, Series(index): Series, count: u32, sum_ns: u64, now_ns: u64) {
        let Some(counted) = self.counted.get_mut(usize::from(index)) else { return };
        if count == 0 {
            return;
        }
        counted.count += u64::from(count);
        counted.sum_ns += sum_ns;
        let number = now_ns / WINDOW_NS;
        let window = &mut counted.windows[(number % WINDOWS) as usize];
        if window.number != number || window.buckets.is_empty() {
            window.number = number;
            window.buckets.clear();
            window.buckets.resize(BUCKETS, 0);
        }
        let bucket = &mut window.buckets[bucket_of(sum_ns / u64::from(count))];
        *bucket = bucket.saturating_add(count);
    }

    /// All names of which there were commands.
    pub fn durations(&self, now_ns: u64) -> impl Iterator<Item = Durations<'_>> {
        let oldest = (now_ns / WINDOW_NS).saturating_sub(WINDOWS - 1);
        let pairs = self.names.iter().zip(&self.counted).filter(|(_, counted)| counted.count > 0);
        pairs.map(move |(name, counted)| {
            let mut recent = vec![0; BUCKETS];
            for window in counted.windows.iter().filter(|window| window.number >= oldest) {
                for (sum, count) in recent.iter_mut().zip(&window.buckets) {
                    *sum += u64::from(*count);
                }
            }
            Durations { name, count: counted.count, sum_ns: counted.sum_ns, recent }
        })
    }
}

impl Durations<'_> {
    /// What so large a part of the last ten minutes' commands took at most; `None` without any.
    pub fn quantile(&self, part: f64) -> Option<u64> {
        let total: u64 = self.recent.iter().sum();
        let rank = ((total as f64 * part).ceil() as u64).max(1);
        let mut seen = 0;
        let bucket = self.recent.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        bucket.map(middle_of)
    }
}

fn bucket_of(nanoseconds: u64) -> usize {
    let octave = u64::from(nanoseconds.max(1).ilog2());
    if octave < OCTAVE_MIN {
        return 0;
    }
    let step = (nanoseconds >> (octave - 3)) & (BUCKETS_PER_OCTAVE - 1);
    (((octave - OCTAVE_MIN) * BUCKETS_PER_OCTAVE + step) as usize).min(BUCKETS - 1)
}

/// Half-way between the least and the most that a bucket counts.
fn middle_of(bucket: usize) -> u64 {
    let (octave, step) = (bucket as u64 / BUCKETS_PER_OCTAVE, bucket as u64 % BUCKETS_PER_OCTAVE);
    let width = 1 << (octave + OCTAVE_MIN - 3);
    (BUCKETS_PER_OCTAVE + step) * width + width / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_within_a_sixteenth_of_what_was_recorded() {
        let mut timing = Timing::default();
        let get = timing.series("GET");
        for microseconds in 1..=1000 {
            timing.record(get, 1, microseconds * 1000, 0);
        }
        let all: Vec<_> = timing.durations(0).collect();
        let [durations] = &all[..] else { panic!("not one") };
        assert_eq!((durations.name, durations.count), ("get", 1000));
        assert_eq!(durations.sum_ns, 500_500_000);
        for part in [0.5, 0.9, 0.95, 0.99, 1.0] {
            let found = durations.quantile(part).unwrap() as f64;
            let expected = part * 1_000_000.0;
            assert!((found - expected).abs() <= expected / 16.0, "{part}: {found}");
        }
    }

    #[test]
    fn every_duration_has_a_bucket_that_holds_it() {
        for nanoseconds in [0, 1, 63, 64, 65, 1000, 123_456_789, 1 << 39, u64::MAX] {
            assert!(bucket_of(nanoseconds) < BUCKETS);
        }
        assert!(middle_of(bucket_of(1000)).abs_diff(1000) <= 1000 / 16);
    }

    #[test]
    fn quantiles_forget_after_ten_minutes_and_sums_do_not() {
        let mut timing = Timing::default();
        let [get, set] = ["GET", "SET"].map(|name| timing.series(name));
        timing.record(get, 3, 3000, 0);
        timing.record(set, 1, 50, WINDOW_NS);
        let after = |now_ns: u64| -> Vec<_> {
            timing.durations(now_ns).map(|found| (found.count, found.quantile(0.5))).collect()
        };
        assert_eq!(after(4 * WINDOW_NS), [(3, Some(992)), (1, Some(68))]);
        assert_eq!(after(5 * WINDOW_NS), [(3, None), (1, Some(68))]);
        assert_eq!(after(60 * WINDOW_NS), [(3, None), (1, None)]);
    }

    #[test]
    fn names_of_two_words_are_one_series_and_any_case_is_the_same() {
        let mut timing = Timing::default();
        let config = timing.series("CONFIG GET");
        assert_eq!(timing.series("config set"), config);
        assert_eq!(timing.series("Unknown"), Series::UNKNOWN);
    }
}
