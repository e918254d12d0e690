//! Requests that are read before the one in front of them runs: while the first are read, the
//! objects of all are fetched, so that the processor waits for memory once and not for each.

use arrayvec::ArrayVec;

use crate::keyspace::{Keyspace, FETCHED_COUNT_MAX};
use crate::request::{self, Args, Arguments, Framing, Parsed};

/// What was read.
#[derive(Default)]
pub(super) struct Ahead {
    requests: Vec<(Parsed, Arguments)>,
    count: usize,
}

/// Key and id of a request worth fetching for: of commands that come by the dozen.
fn object_of<'a>(args: &Args<'a>) -> Option<(&'a [u8], &'a [u8])> {
    let name = args.at(0);
    let is_frequent = name.eq_ignore_ascii_case(b"SET") || name.eq_ignore_ascii_case(b"GET");
    is_frequent.then(|| (args.at(1), args.at(2)))
}

impl Ahead {
    /// Reads a request, and those behind it as long as each is of one object.
    pub fn read(&mut self, bytes: &[u8], keyspace: &Keyspace) {
        let mut rest = bytes;
        self.count = 0;
        while self.count < FETCHED_COUNT_MAX {
            if self.count == self.requests.len() {
                self.requests.push((Parsed::Incomplete { needed: 1 }, Arguments::default()));
            }
            let (parsed, arguments) = &mut self.requests[self.count];
            *parsed = request::parse(rest, arguments);
            self.count += 1;
            let Parsed::Request { framing: Framing::Resp, end } = *parsed else { break };
            if object_of(&arguments.view(rest)).is_none() {
                break;
            }
            rest = &rest[end..];
        }
        let objects = self.objects(bytes);
        if objects.len() > 1 {
            keyspace.fetch(&objects);
        }
    }

    fn objects<'a>(&'a self, bytes: &'a [u8]) -> ArrayVec<(&'a [u8], &'a [u8]), FETCHED_COUNT_MAX> {
        let mut rest = bytes;
        let object = |(parsed, arguments): &'a (Parsed, Arguments)| {
            let Parsed::Request { end, .. } = *parsed else { return None };
            let args = arguments.view(rest);
            rest = &rest[end..];
            object_of(&args)
        };
        self.requests().iter().filter_map(object).collect()
    }

    /// Keeps little memory until the next time.
    pub fn give_back(&mut self) {
        self.requests.iter_mut().for_each(|(_, arguments)| arguments.give_back());
    }

    /// Those that were read, in order. Only the last can be anything but a request.
    pub fn requests(&self) -> &[(Parsed, Arguments)] {
        &self.requests[..self.count]
    }
}
