//! Parsing a log ahead of running it: a [`LogParser`], which its caller runs on a thread, splits
//! the log into commands and parses their geometries. The engine runs the commands in their order.
//!
//! Parsing knows no data, so that it makes no difference when it happens.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};

use crate::call::ParsedText;
use crate::geometry::{Geometry, ParseOptions};
use crate::request::{parse_log, Args, Arguments, Parsed};

/// Commands in one message of the parser.
const BATCH_COMMANDS_MAX: usize = 128;
/// Bytes of the log in one message, if it has more than one command.
const BATCH_BYTES_MAX: usize = 256 * 1024;
/// Messages that wait in the queue; when it is full, the parser waits.
const QUEUE_MESSAGES_MAX: usize = 16;

/// A command that is parsed, or the reason why there is none.
struct ParsedCommand {
    /// The position in the log at which the command was parsed.
    start: usize,
    parsed: Parsed,
    /// The positions of the words' ranges in the batch's.
    words: Range<usize>,
    /// The words if they are copies.
    copies: Option<Box<Arguments>>,
    text: Option<ParsedText>,
}

/// Consecutive commands of a log.
#[derive(Default)]
struct Batch {
    commands: Vec<ParsedCommand>,
    ranges: Vec<Range<usize>>,
}

/// Parses the commands of a piece of a log. The caller runs it on a thread of its own.
pub struct LogParser<'d> {
    data: &'d [u8],
    options: ParseOptions,
    batches: SyncSender<Batch>,
    used: Receiver<Batch>,
}

/// The source of a log's commands: the results of a parser on another thread.
pub struct ParsedLog {
    batches: Receiver<Batch>,
    used: SyncSender<Batch>,
    batch: Batch,
    /// The number of the batch's commands that were returned.
    next: usize,
    /// Parses the commands that the parser's thread had not sent when it ended.
    fallback: Arguments,
}

/// The commands of a piece of a log, with the geometries of the long ones parsed before.
#[derive(Default)]
pub struct LongTexts {
    arguments: Arguments,
    /// The geometries by the positions of their commands.
    texts: VecDeque<(usize, ParsedText)>,
    /// The position of the present command.
    position: usize,
}

/// A source of the commands of a piece of a log.
pub trait CommandSource {
    /// Parses the command at a position. The positions ascend without gaps but for zero bytes.
    fn parse(&mut self, data: &[u8], position: usize) -> Parsed;

    /// Returns the words of the command. `rest` are the bytes from the command's first one on.
    fn args<'a>(&'a self, rest: &'a [u8]) -> Args<'a>;

    /// Returns the geometry of the command if it was parsed.
    fn take_text(&mut self) -> Option<ParsedText>;
}

/// The source that parses each command when it is asked for.
impl CommandSource for Arguments {
    fn parse(&mut self, data: &[u8], position: usize) -> Parsed {
        parse_log(&data[position..], self)
    }

    fn args<'a>(&'a self, rest: &'a [u8]) -> Args<'a> {
        self.view(rest)
    }

    fn take_text(&mut self) -> Option<ParsedText> {
        None
    }
}

impl CommandSource for LongTexts {
    fn parse(&mut self, data: &[u8], position: usize) -> Parsed {
        self.position = position;
        self.arguments.parse(data, position)
    }

    fn args<'a>(&'a self, rest: &'a [u8]) -> Args<'a> {
        self.arguments.args(rest)
    }

    fn take_text(&mut self) -> Option<ParsedText> {
        while self.texts.front().is_some_and(|(position, _)| *position < self.position) {
            self.texts.pop_front();
        }
        let is_next = self.texts.front().is_some_and(|(position, _)| *position == self.position);
        if !is_next {
            return None;
        }
        self.texts.pop_front().map(|(_, text)| text)
    }
}

/// Parses the geometries of the commands that have so many bytes or more, in a piece of a log that
/// may end amid a command. Any thread.
pub fn parse_long(data: &[u8], bytes_min: usize, options: ParseOptions) -> LongTexts {
    let mut long = LongTexts::default();
    let mut position = 0;
    loop {
        position += zero_bytes(&data[position..]);
        let rest = &data[position..];
        let Parsed::Request { end, .. } = parse_log(rest, &mut long.arguments) else { return long };
        if end >= bytes_min {
            let text = parse_text(long.arguments.view(rest), options);
            long.texts.extend(text.map(|text| (position, text)));
        }
        position += end;
    }
}

/// Parses the geometry of a command that stores one. If the text is something else, it is parsed
/// for nothing.
fn parse_text(args: Args, options: ParseOptions) -> Option<ParsedText> {
    let word = (3..args.len()).find(|at| args.at(*at).eq_ignore_ascii_case(b"OBJECT"))?;
    let text = args.get(word + 1)?;
    let geometry = Geometry::parse(text, options);
    Some(ParsedText { address: text.as_ptr() as usize, geometry })
}

/// Returns a parser for a piece of a log, and its results. The parser has to run on another thread
/// while the results are used.
pub fn parse_ahead(data: &[u8], options: ParseOptions) -> (LogParser<'_>, ParsedLog) {
    let (batches, received) = sync_channel(QUEUE_MESSAGES_MAX);
    let (returned, used) = sync_channel(QUEUE_MESSAGES_MAX);
    let parser = LogParser { data, options, batches, used };
    let batch = Batch::default();
    let fallback = Arguments::default();
    (parser, ParsedLog { batches: received, used: returned, batch, next: 0, fallback })
}

impl LogParser<'_> {
    /// Parses until the log ends, can't be parsed, or nobody wants the results.
    pub fn run(self) {
        let mut position = 0;
        let mut arguments = Arguments::default();
        loop {
            let mut batch = self.used.try_recv().unwrap_or_default();
            let start = position;
            let mut is_complete = true;
            while is_complete
                && batch.commands.len() < BATCH_COMMANDS_MAX
                && position - start < BATCH_BYTES_MAX
            {
                position += zero_bytes(&self.data[position..]);
                let parsed = parse_log(&self.data[position..], &mut arguments);
                let end = match parsed {
                    Parsed::Request { end, .. } => end,
                    _ => 0,
                };
                is_complete = end > 0;
                self.add(&mut batch, position, parsed, &mut arguments);
                position += end;
            }
            if self.batches.send(batch).is_err() || !is_complete {
                return;
            }
        }
    }

    fn add(&self, batch: &mut Batch, start: usize, parsed: Parsed, arguments: &mut Arguments) {
        let rest = &self.data[start..];
        let text = matches!(parsed, Parsed::Request { .. })
            .then(|| parse_text(arguments.view(rest), self.options))
            .flatten();
        let words_start = batch.ranges.len();
        let copies = match arguments.ranges_in_bytes() {
            Some(ranges) => {
                batch.ranges.extend_from_slice(ranges);
                None
            }
            None => Some(Box::new(std::mem::take(arguments))),
        };
        let words = words_start..batch.ranges.len();
        batch.commands.push(ParsedCommand { start, parsed, words, copies, text });
    }
}

/// Returns the number of zero bytes at the start. Tile38 pads with them between commands.
pub(crate) fn zero_bytes(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| **byte == 0).count()
}

impl ParsedLog {
    /// Receives the next batch if all commands of the present one were returned.
    fn refill(&mut self) {
        while self.next >= self.batch.commands.len() {
            let Ok(batch) = self.batches.recv() else {
                self.batch = Batch::default();
                return;
            };
            let mut used = std::mem::replace(&mut self.batch, batch);
            self.next = 0;
            used.commands.clear();
            used.ranges.clear();
            // A batch that nobody takes back is dropped.
            let _ = self.used.try_send(used);
        }
    }

    fn present(&self) -> Option<&ParsedCommand> {
        self.batch.commands.get(self.next.checked_sub(1)?)
    }
}

impl CommandSource for ParsedLog {
    fn parse(&mut self, data: &[u8], position: usize) -> Parsed {
        self.refill();
        let Some(command) = self.batch.commands.get_mut(self.next) else {
            return self.fallback.parse(data, position);
        };
        debug_assert_eq!(command.start, position);
        self.next += 1;
        std::mem::replace(&mut command.parsed, Parsed::Http)
    }

    fn args<'a>(&'a self, rest: &'a [u8]) -> Args<'a> {
        let Some(command) = self.present() else { return self.fallback.view(rest) };
        match &command.copies {
            Some(copies) => copies.view(rest),
            None => Args::new(rest, &self.batch.ranges[command.words.clone()]),
        }
    }

    fn take_text(&mut self) -> Option<ParsedText> {
        self.batch.commands.get_mut(self.next.checked_sub(1)?)?.text.take()
    }
}
