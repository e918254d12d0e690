//! The command line, with the options of tile38-benchmark and of redis-benchmark.

use std::env;
use std::ffi::OsString;

use lexopt::prelude::{Long, Short, Value, ValueExt};

use crate::failure::Failure;
use crate::workload::{self, Test};

/// The help text, from which the completion of shells is made, too.
pub const USAGE: &str = "\
Usage: tile38py-benchmark [options] [command word...]

Without a command, runs tests as tile38-benchmark does; with one, that command. In its words
__rand_int__, __rand_lat__ and __rand_lon__ stand for random numbers.

Options:
  -h hostname     : server (default: 127.0.0.1, or TILE38_HOSTNAME)
  -p port         : server's port (default: 9851, or TILE38_PORT)
  -s socket       : unix socket file of the server
  -a password     : password; TILE38_PASSWORD keeps it out of the list of processes
  --user name     : user of the password
  -c clients      : parallel connections (default: 50)
  -n requests     : requests of each test (default: 100000)
  -P pipeline     : requests of a batch (default: 1)
  -r ids          : random ids are 1 to this (default: as requests)
  -t tests        : comma-separated names; -NAME takes tests away
  --threads count : threads that send (default: 1)
  --seed number   : start of the random numbers (default: 1)
  --json          : have the server reply with JSON
  --redis         : tests of a Redis server
  -q              : only the rate of each test
  --csv           : a line of CSV for each test
  --list          : names of all tests
  --help          : this text
  --version       : the version
  --print-completion bash/zsh/fish
                  : the completion of this command for a shell

Columns of --csv: test, requests per second, then in milliseconds p50, p95, p99, p99.9 and max,
then the number of error replies. The exit code is 1 after an error reply or a lost connection.
";
const CLIENTS_MAX: usize = 100_000;
const PIPELINE_MAX: usize = 100_000;
const THREADS_MAX: usize = 256;

/// How results are told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    Full,
    Quiet,
    Csv,
}

/// The options of a run.
#[derive(Debug)]
pub struct Options {
    pub host: String,
    pub port: u16,
    pub socket: Option<String>,
    pub user: Option<String>,
    pub password: Option<String>,
    pub clients: usize,
    pub requests: u64,
    pub pipeline: usize,
    pub ids: u64,
    pub threads: usize,
    pub seed: u64,
    pub wants_json: bool,
    pub format: Format,
    pub tests: Vec<Test>,
}

impl Options {
    /// Returns the server's address for messages.
    pub fn address(&self) -> String {
        self.socket.clone().unwrap_or_else(|| format!("{}:{}", self.host, self.port))
    }
}

/// The action that the command line requests.
pub enum Parsed {
    Usage,
    Version,
    Names(Vec<Test>),
    Run(Box<Options>),
}

/// Parses the words of the command line; the first one is the program's name.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Parsed, Failure> {
    let mut parser = lexopt::Parser::from_iter(words);
    let mut options = defaults();
    let (mut list, mut ids, mut is_redis, mut lists_names) = (None, None, false, false);
    let mut command: Vec<String> = Vec::new();
    while let Some(argument) = parser.next().map_err(usage)? {
        match argument {
            Short('h') => options.host = text(&mut parser)?,
            Short('p') => options.port = number(&mut parser, 1, u64::from(u16::MAX))? as u16,
            Short('s') => options.socket = Some(text(&mut parser)?),
            Short('a') => options.password = Some(text(&mut parser)?),
            Long("user") => options.user = Some(text(&mut parser)?),
            Short('c') => options.clients = number(&mut parser, 1, CLIENTS_MAX as u64)? as usize,
            Short('n') => options.requests = number(&mut parser, 1, u64::MAX)?,
            Short('P') => options.pipeline = number(&mut parser, 1, PIPELINE_MAX as u64)? as usize,
            Short('r') => ids = Some(number(&mut parser, 1, u64::MAX / 8)?),
            Short('t') => list = Some(text(&mut parser)?),
            Long("threads") => {
                options.threads = number(&mut parser, 1, THREADS_MAX as u64)? as usize;
            }
            Long("seed") => options.seed = number(&mut parser, 0, u64::MAX)?,
            Long("json") => options.wants_json = true,
            Long("redis") => is_redis = true,
            Short('q') => options.format = Format::Quiet,
            Long("csv") => options.format = Format::Csv,
            Long("list") => lists_names = true,
            Long("help") | Short('?') => return Ok(Parsed::Usage),
            Long("version") => return Ok(Parsed::Version),
            Long("print-completion") => {
                // Python's part of the command makes it.
                return Err(Failure::Usage("only the installed command prints completion".into()));
            }
            Value(word) => {
                command.push(word.string().map_err(usage)?);
                for word in parser.raw_args().map_err(usage)? {
                    command.push(word.string().map_err(usage)?);
                }
            }
            _ => return Err(usage(argument.unexpected())),
        }
    }
    options.ids = ids.unwrap_or(options.requests).min(u64::MAX / 8);
    options.threads = options.threads.min(options.clients);
    let tests = workload::all(is_redis);
    options.tests = match (command.is_empty(), list) {
        (false, _) => vec![Test::of_words(&command)],
        (true, Some(list)) => workload::select(tests, &list)?,
        (true, None) => tests,
    };
    if lists_names {
        return Ok(Parsed::Names(options.tests));
    }
    Ok(Parsed::Run(Box::new(options)))
}

fn defaults() -> Options {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    Options {
        host: set("TILE38_HOSTNAME").unwrap_or_else(|| "127.0.0.1".into()),
        // Like tile38-cli, a port that isn't a number is ignored.
        port: set("TILE38_PORT").and_then(|text| text.parse().ok()).unwrap_or(9851),
        socket: None,
        user: None,
        password: set("TILE38_PASSWORD"),
        clients: 50,
        requests: 100_000,
        pipeline: 1,
        ids: 0,
        threads: 1,
        seed: 1,
        wants_json: false,
        format: Format::Full,
        tests: Vec::new(),
    }
}

fn text(parser: &mut lexopt::Parser) -> Result<String, Failure> {
    parser.value().and_then(ValueExt::string).map_err(usage)
}

fn number(parser: &mut lexopt::Parser, least: u64, most: u64) -> Result<u64, Failure> {
    let text = text(parser)?;
    text.parse().ok().filter(|number| (least..=most).contains(number)).ok_or_else(|| {
        Failure::Usage(format!("'{text}' isn't a number from {least} to {most}: see --help"))
    })
}

#[allow(clippy::needless_pass_by_value)] // for map_err
fn usage(error: lexopt::Error) -> Failure {
    Failure::Usage(format!("{error}: see --help"))
}

#[cfg(test)]
mod tests {
    use super::{parse, Options, Parsed};

    fn parsed(line: &str) -> Result<Box<Options>, String> {
        let words = ["tile38py-benchmark"].into_iter().chain(line.split_whitespace());
        match parse(words.map(Into::into)) {
            Ok(Parsed::Run(options)) => Ok(options),
            Ok(_) => Err("no run".into()),
            Err(failure) => Err(failure.to_string()),
        }
    }

    #[test]
    fn options_of_tile38_benchmark_are_taken() {
        let options = parsed("-h a -p 1 -a pw -c 3 -n 40 -P 5 -t ping,-GET -q").unwrap_err();
        assert_eq!(options, "test flag cannot mix add and subtract");
        let options = parsed("-h a -p 1 -a pw -c 3 -n 40 -P5 -t -SET --json --csv").unwrap();
        assert_eq!((options.host.as_str(), options.port, options.clients), ("a", 1, 3));
        assert_eq!((options.requests, options.pipeline, options.ids), (40, 5, 40));
        assert!(options.wants_json && !options.tests.iter().any(|test| test.name == "SET-POINT"));
    }

    #[test]
    fn a_command_takes_all_words_behind_it() {
        let options = parsed("-n 5 SET k -t __rand_int__").unwrap();
        assert_eq!(options.tests.len(), 1);
        assert_eq!(options.tests[0].title, "SET k -t __rand_int__");
    }

    #[test]
    fn wrong_options_are_refused() {
        for line in ["-c 0", "-p 70000", "-n x", "--nope", "-n", "-t nope"] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
