//! Reading ahead: requests are parsed before the one in front of them runs, and the objects that
//! they name are fetched into the processor's cache together, so that it waits for memory once and
//! not for each.

use arrayvec::ArrayVec;

use crate::commands::record::{Flags, Keys};
use crate::commands::table::Found;
use crate::engine::Engine;
use crate::keyspace::PREFETCHED_OBJECTS_MAX;
use crate::request::{self, Args, Arguments, Framing, Parsed};

/// A request that was parsed and whose command was looked up, but that hasn't run.
pub(super) struct Next {
    pub parsed: Parsed,
    pub arguments: Arguments,
    pub found: Option<Found>,
    names_object: bool,
}

/// The requests that were read ahead.
#[derive(Default)]
pub(super) struct Ahead {
    requests: Vec<Next>,
    count: usize,
}

impl Ahead {
    /// Reads a request, and those behind it as long as each is a brief one about one object.
    pub fn read(&mut self, bytes: &[u8], engine: &Engine) {
        let mut rest = bytes;
        self.count = 0;
        while self.count < PREFETCHED_OBJECTS_MAX {
            if self.count == self.requests.len() {
                let (parsed, arguments) = (Parsed::Incomplete { needed: 1 }, Arguments::default());
                self.requests.push(Next { parsed, arguments, found: None, names_object: false });
            }
            let next = &mut self.requests[self.count];
            next.parsed = request::parse(rest, &mut next.arguments);
            self.count += 1;
            let Parsed::Request { framing, end } = next.parsed else { break };
            next.found = engine.table.find(next.arguments.view(rest));
            next.names_object = next.found.is_some_and(|found| {
                let facts = engine.table.record(found).facts;
                facts.keys == Keys::Object && facts.flags.contains(Flags::BRIEF)
            });
            if framing != Framing::Resp || !next.names_object {
                break;
            }
            rest = &rest[end..];
        }
        let objects = self.objects(bytes);
        if objects.len() > 1 {
            engine.keyspace.prefetch(&objects);
        }
    }

    fn objects<'a>(
        &'a self,
        bytes: &'a [u8],
    ) -> ArrayVec<(&'a [u8], &'a [u8]), PREFETCHED_OBJECTS_MAX> {
        let mut rest = bytes;
        let object = |next: &'a Next| {
            let Parsed::Request { end, .. } = next.parsed else { return None };
            let args: Args<'a> = next.arguments.view(rest);
            rest = &rest[end..];
            next.names_object.then(|| (args.at(1), args.at(2)))
        };
        self.requests().iter().filter_map(object).collect()
    }

    /// Keeps little memory until the next time.
    pub fn give_back(&mut self) {
        self.requests.iter_mut().for_each(|next| next.arguments.give_back());
    }

    /// Those that were read, in order. Only the last can be anything but a request.
    pub fn requests(&self) -> &[Next] {
        &self.requests[..self.count]
    }
}
