//! The load generator `tile38py-benchmark`: sends commands to a server and tells how fast it
//! replied. Knows the command line and the order of the tests; `load` sends, `report` tells.

mod connection;
mod failure;
mod load;
mod options;
mod replies;
mod report;
mod requests;
mod workload;

use std::process::ExitCode;

use failure::Failure;
use options::{Options, Parsed};

fn main() -> ExitCode {
    match options::parse(std::env::args_os()) {
        Ok(Parsed::Usage) => {
            print!("{}", options::USAGE);
            ExitCode::SUCCESS
        }
        Ok(Parsed::Version) => {
            println!("tile38py-benchmark {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Ok(Parsed::Names(tests)) => {
            for test in &tests {
                println!("{}", test.name);
            }
            ExitCode::SUCCESS
        }
        Ok(Parsed::Run(options)) => match run(&options) {
            Ok(0) => ExitCode::SUCCESS,
            Ok(_) => ExitCode::FAILURE,
            Err(failure) => fail(&failure),
        },
        Err(failure) => fail(&failure),
    }
}

fn fail(failure: &Failure) -> ExitCode {
    eprintln!("{failure}");
    ExitCode::FAILURE
}

/// Runs the tests one after the other. Returns the number of error replies.
fn run(options: &Options) -> Result<u64, Failure> {
    let mut error_count = 0;
    for test in &options.tests {
        let outcome = load::run(options, test)?;
        report::show(options, test, &outcome);
        error_count += outcome.error_count;
    }
    Ok(error_count)
}
