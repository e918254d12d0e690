//! Durations of commands by name: counts, sums, and quantiles over the last ten minutes. Reads no
//! clock: times are passed in.

/// Nanoseconds of a time window; quantiles cover the last [`WINDOWS`] of them.
const WINDOW_NS: u64 = 120_000_000_000;
const WINDOWS: u64 = 5;
/// Buckets of the histogram between two powers of two, so that a bucket is an eighth wide.
const BUCKETS_PER_OCTAVE: u64 = 8;
/// The histogram ranges from 2^6 nanoseconds to 2^40, some 18 minutes.
const OCTAVE_MIN: u64 = 6;
const OCTAVE_MAX: u64 = 40;
const BUCKETS: usize = ((OCTAVE_MAX - OCTAVE_MIN) * BUCKETS_PER_OCTAVE) as usize;
/// The name of the series for requests that name no command.
const UNKNOWN_NAME: &str = "unknown";

/// The series of durations of one command name: a position in [`Timing`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Series(u16);

impl Series {
    /// The series of all requests that name no command: clients can't create series.
    pub const UNKNOWN: Series = Series(0);
}

/// The durations of the commands of one name.
pub struct Durations<'t> {
    /// The first word of the name, in lower case.
    pub name: &'t str,
    /// The number of commands since the start.
    pub count: u64,
    /// The sum of their durations.
    pub sum_ns: u64,
    /// The buckets of the last ten minutes.
    recent: Vec<u64>,
}

/// The statistics of one series.
#[derive(Default)]
struct Statistics {
    count: u64,
    sum_ns: u64,
    windows: [Window; WINDOWS as usize],
}

/// The histogram of one time window.
#[derive(Default)]
struct Window {
    number: u64,
    buckets: Vec<u32>,
}

/// The durations of all commands.
pub struct Timing {
    names: Vec<String>,
    statistics: Vec<Statistics>,
    /// The least duration of a slow command, which SLOWLOG lists; `u64::MAX` for none.
    pub slow_ns: u64,
}

impl Default for Timing {
    fn default() -> Self {
        let names = vec![UNKNOWN_NAME.to_string()];
        Timing { names, statistics: vec![Statistics::default()], slow_ns: u64::MAX }
    }
}

impl Timing {
    /// Returns the series of a command, which is named by the first word of the command's name.
    pub fn series(&mut self, command: &str) -> Series {
        let name = command.split(' ').next().unwrap_or_default().to_ascii_lowercase();
        let index = self.names.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.names.push(name);
            self.statistics.push(Statistics::default());
            self.names.len() - 1
        });
        Series(index as u16)
    }

    /// Records `count` commands that ended at `now_ns` and took `sum_ns` together, each the same
    /// share of it.
    pub fn record(&mut self, Series(index): Series, count: u32, sum_ns: u64, now_ns: u64) {
        let Some(series) = self.statistics.get_mut(usize::from(index)) else { return };
        if count == 0 {
            return;
        }
        series.count += u64::from(count);
        series.sum_ns += sum_ns;
        let number = now_ns / WINDOW_NS;
        let window = &mut series.windows[(number % WINDOWS) as usize];
        if window.number != number || window.buckets.is_empty() {
            window.number = number;
            window.buckets.clear();
            window.buckets.resize(BUCKETS, 0);
        }
        let bucket = &mut window.buckets[bucket_of(sum_ns / u64::from(count))];
        *bucket = bucket.saturating_add(count);
    }

    /// Returns the durations of all names that have commands.
    pub fn durations(&self, now_ns: u64) -> impl Iterator<Item = Durations<'_>> {
        let oldest = (now_ns / WINDOW_NS).saturating_sub(WINDOWS - 1);
        let pairs = self.names.iter().zip(&self.statistics).filter(|(_, series)| series.count > 0);
        pairs.map(move |(name, series)| {
            let mut recent = vec![0; BUCKETS];
            for window in series.windows.iter().filter(|window| window.number >= oldest) {
                for (sum, count) in recent.iter_mut().zip(&window.buckets) {
                    *sum += u64::from(*count);
                }
            }
            Durations { name, count: series.count, sum_ns: series.sum_ns, recent }
        })
    }
}

impl Durations<'_> {
    /// Returns the duration, in nanoseconds, that a part of the commands of the last ten minutes
    /// didn't exceed: 0.99 gives the 99th percentile. `None` if there were no commands.
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

/// Returns the middle of a bucket in nanoseconds.
fn middle_of(bucket: usize) -> u64 {
    let (octave, step) = (bucket as u64 / BUCKETS_PER_OCTAVE, bucket as u64 % BUCKETS_PER_OCTAVE);
    let width = 1 << (octave + OCTAVE_MIN - 3);
    (BUCKETS_PER_OCTAVE + step) * width + width / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_a_sixteenth_of_the_recorded_durations() {
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
    fn every_duration_has_a_bucket() {
        for nanoseconds in [0, 1, 63, 64, 65, 1000, 123_456_789, 1 << 39, u64::MAX] {
            assert!(bucket_of(nanoseconds) < BUCKETS);
        }
        assert!(middle_of(bucket_of(1000)).abs_diff(1000) <= 1000 / 16);
    }

    #[test]
    fn quantiles_cover_ten_minutes_and_sums_cover_all_time() {
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
    fn the_first_word_in_any_case_names_the_series() {
        let mut timing = Timing::default();
        let config = timing.series("CONFIG GET");
        assert_eq!(timing.series("config set"), config);
        assert_eq!(timing.series("Unknown"), Series::UNKNOWN);
    }
}
