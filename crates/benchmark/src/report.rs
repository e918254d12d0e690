//! Tells the outcome of a test on stdout, and its error replies on stderr.

use crate::load::Outcome;
use crate::options::{Format, Options};
use crate::workload::Test;

/// The percentiles of reports; the maximum follows them.
const PERCENTILES: [f64; 4] = [50.0, 95.0, 99.0, 99.9];
const BUSY_SHARE_MAX: f64 = 0.9;

/// Writes the report of a test.
pub fn show(options: &Options, test: &Test, outcome: &Outcome) {
    print!("{}", text(options, test, outcome));
    if outcome.error_count > 0 {
        let first = outcome.first_error.as_deref().unwrap_or_default();
        eprintln!("{}: {} error replies, the first is: {first}", test.title, outcome.error_count);
    }
}

fn text(options: &Options, test: &Test, outcome: &Outcome) -> String {
    let seconds = outcome.elapsed.as_secs_f64();
    let rate = outcome.requests as f64 / seconds.max(f64::MIN_POSITIVE);
    match options.format {
        Format::Quiet => format!("{}: {rate:.2} requests per second\n", test.title),
        Format::Csv => {
            let latencies: Vec<String> =
                latencies(outcome).map(|(_, value)| format!("\"{value:.3}\"")).collect();
            let title = test.title.replace('"', "\"\"");
            let columns = latencies.join(",");
            format!("\"{title}\",\"{rate:.2}\",{columns},\"{}\"\n", outcome.error_count)
        }
        Format::Full => full(options, test, outcome, rate),
    }
}

fn full(options: &Options, test: &Test, outcome: &Outcome, rate: f64) -> String {
    let latencies: Vec<String> =
        latencies(outcome).map(|(name, value)| format!("{name} {value:.3}")).collect();
    let busy = outcome.busy_share;
    let more = if busy > BUSY_SHARE_MAX { ": more --threads may raise the rate" } else { "" };
    format!(
        "====== {} ======\n  {} requests completed in {:.2} seconds\n  {} parallel clients, \
         pipeline of {}\n  latency in ms: {}\n  load generator busy {:.0}% of the time{more}\n\n\
         {rate:.2} requests per second\n\n",
        test.title,
        outcome.requests,
        outcome.elapsed.as_secs_f64(),
        options.clients,
        options.pipeline,
        latencies.join(", "),
        busy * 100.0,
    )
}

/// Yields the name and the milliseconds of each percentile, and of the maximum.
fn latencies(outcome: &Outcome) -> impl Iterator<Item = (String, f64)> + '_ {
    let histogram = &outcome.latencies;
    let values = PERCENTILES
        .iter()
        .map(|&percentile| (format!("p{percentile}"), histogram.value_at_percentile(percentile)));
    values
        .chain([("max".to_owned(), histogram.max())])
        .map(|(name, micros)| (name, micros as f64 / 1000.0))
}
