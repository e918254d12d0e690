//! Fuzzes the parser of requests and the commands: arbitrary bytes cause no crash, and the same
//! replies and log wherever the network cuts them.
#![no_main]

use engine::engine::Engine;
use engine::session::{Session, Stop};
use libfuzzer_sys::fuzz_target;

const NOW_NS: i64 = 1_700_000_000_000_000_000;

fn stopped_clock() -> u64 {
    0
}

/// Feeds requests in pieces; returns the replies and the log.
fn run(pieces: &[&[u8]]) -> (Vec<u8>, Vec<u8>) {
    let mut engine = Engine::new(false);
    let mut session = Session::new(false, None);
    let (mut replies, mut log) = (Vec::new(), Vec::new());
    for piece in pieces {
        let mut data = *piece;
        loop {
            let batch = session.feed(&mut engine, data, NOW_NS, &stopped_clock);
            replies.extend(batch.replies);
            log.extend(batch.log);
            data = b"";
            match batch.stop {
                None => break,
                Some(Stop::Yield) => {}
                Some(Stop::Reads(mut read)) => replies.extend(read.run(&stopped_clock)),
                Some(_) => return (replies, log),
            }
        }
    }
    (replies, log)
}

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else { return };
    let (head, tail) = bytes.split_at(bytes.len() * usize::from(*first) / 256);
    assert_eq!(run(&[bytes]), run(&[head, tail]));
});
