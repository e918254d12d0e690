//! Reading ahead: several requests of a pipeline are parsed before the first of them runs, and the
//! objects that they name are prefetched into the processor's cache together, so that the waits for
//! memory overlap.

use arrayvec::ArrayVec;

use crate::commands::record::{Flags, Keys};
use crate::commands::table::Found;
use crate::engine::Engine;
use crate::keyspace::PREFETCHED_OBJECTS_MAX;
use crate::request::{self, Args, Arguments, Framing, Parsed};

/// A request that was parsed and whose command was looked up, but that hasn't run yet.
pub(super) struct ParsedRequest {
    pub parsed: Parsed,
    pub arguments: Arguments,
    pub found: Option<Found>,
    /// Whether the request is a brief command about one object.
    names_object: bool,
}

/// The requests that were parsed ahead. Their memory is reused.
#[derive(Default)]
pub(super) struct ReadAhead {
    requests: Vec<ParsedRequest>,
    count: usize,
}

impl ReadAhead {
    /// Parses the request at the start of the bytes, and those after it for as long as each is a
    /// RESP request with a brief command about one object; then prefetches the objects.
    pub fn parse(&mut self, bytes: &[u8], engine: &Engine) {
        let mut rest = bytes;
        self.count = 0;
        while self.count < PREFETCHED_OBJECTS_MAX {
            if self.count == self.requests.len() {
                let (parsed, arguments) = (Parsed::Incomplete { needed: 1 }, Arguments::default());
                let (found, names_object) = (None, false);
                self.requests.push(ParsedRequest { parsed, arguments, found, names_object });
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
        let object = |next: &'a ParsedRequest| {
            let Parsed::Request { end, .. } = next.parsed else { return None };
            let args: Args<'a> = next.arguments.view(rest);
            rest = &rest[end..];
            next.names_object.then(|| (args.at(1), args.at(2)))
        };
        self.requests().iter().filter_map(object).collect()
    }

    /// Frees the memory that large requests took.
    pub fn release_memory(&mut self) {
        self.requests.iter_mut().for_each(|next| next.arguments.release_memory());
    }

    /// Returns the parsed requests in order. All but the last are complete.
    pub fn requests(&self) -> &[ParsedRequest] {
        &self.requests[..self.count]
    }
}
