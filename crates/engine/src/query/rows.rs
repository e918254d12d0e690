//! The results of a search, and their encoding as a reply.

use std::borrow::Cow;

use super::options::{Options, Wanted};
use crate::call::{Budget, Call};
use crate::error::{Error, Result};
use crate::field::{Names, Value};
use crate::json::{self, escape::write_int_member};
use crate::keyspace::Keyspace;
use crate::object::Object;
use crate::output::{self, Form};
use crate::reply::{write_bulk, write_header, write_integer};

/// One result.
struct Row<'o> {
    /// A stored object, or a view of one.
    object: Cow<'o, Object>,
    distance: f64,
}

/// Collects the results of a search: filters candidates and keeps results up to the limit.
pub struct Rows<'o, 'a> {
    options: &'o Options<'a>,
    keyspace: &'o Keyspace,
    results: Vec<Row<'o>>,
    count: u64,
    visited: u64,
    cursor: u64,
    /// The units of work that scripts may do for one object.
    script_work_max: u64,
    /// The units of work that scripts have done since [`Rows::work`] returned some.
    script_work: u64,
    /// The error of a script, which ends the search.
    failure: Option<Error>,
}

/// The most units of work of scripts for one object: about a tenth of a second.
const SCRIPT_WORK_MAX: u64 = 400_000;

/// Rows for which there is room from the first one on.
const RESERVED_ROWS_MAX: u64 = 32;

/// The outcome for a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The candidate is a result, and the limit isn't reached.
    Taken,
    /// The candidate isn't a result.
    Rejected,
    /// The candidate is the last result within the limit.
    Complete,
}

impl<'o, 'a> Rows<'o, 'a> {
    /// Returns an empty collection of results.
    pub fn new(options: &'o Options<'a>, keyspace: &'o Keyspace, budget: &Budget) -> Self {
        Rows {
            options,
            keyspace,
            results: Vec::new(),
            count: 0,
            visited: 0,
            cursor: 0,
            script_work_max: budget.work_left().min(SCRIPT_WORK_MAX),
            script_work: 0,
            failure: None,
        }
    }

    /// Returns whether parts of the search may run at once: nothing is skipped first, and no script
    /// runs.
    pub fn is_divisible(&self) -> bool {
        self.options.cursor == 0 && self.options.filters.scripts.is_empty()
    }

    /// Returns an empty collection of results of the same search.
    #[must_use]
    pub fn of_part(&self) -> Self {
        Rows { results: Vec::new(), count: 0, visited: 0, cursor: 0, failure: None, ..*self }
    }

    /// Adds the results of the search's next part, unless the limit may be among them; returns
    /// whether it did.
    pub fn append(&mut self, part: Self) -> bool {
        if self.count.saturating_add(part.count) >= self.options.limit {
            return false;
        }
        self.results.extend(part.results);
        self.count += part.count;
        self.visited += part.visited;
        true
    }

    /// Returns the maximum of results.
    pub fn limit(&self) -> u64 {
        self.options.limit
    }

    /// Returns whether the limit is reached, or a script has failed.
    pub fn is_complete(&self) -> bool {
        self.count >= self.options.limit || self.failure.is_some()
    }

    /// Counts a candidate; returns whether the cursor is already past it.
    pub fn visit(&mut self) -> bool {
        self.visited += 1;
        self.visited > self.options.cursor
    }

    /// Returns whether the next candidates, up to so many, can be results without being looked at
    /// one by one: they are only counted, none is filtered, and neither the cursor nor the limit
    /// falls among them.
    pub fn accepts_tally(&self, candidates: usize) -> bool {
        let options = self.options;
        options.wanted == Wanted::Count
            && options.globs.is_empty()
            && options.filters.is_empty()
            && self.visited >= options.cursor
            && self.count.saturating_add(candidates as u64) < options.limit
    }

    /// Counts candidates, of which so many are results; see [`Rows::accepts_tally`].
    pub fn tally(&mut self, candidates: usize, results: usize) {
        self.visited += candidates as u64;
        self.count += results as u64;
    }

    /// Returns the units of work for visiting and filtering a candidate, and those that scripts
    /// have done with the candidates before.
    pub fn work(&mut self, object: &Object) -> u64 {
        1 + self.options.filters.work(object) + std::mem::take(&mut self.script_work)
    }

    /// Returns whether the name matches the patterns and the object passes the filters.
    pub fn passes(&mut self, name: &[u8], object: &Object) -> bool {
        if !self.options.matches(name) || self.failure.is_some() {
            return false;
        }
        let mut allowance = self.script_work_max;
        let result = self.options.filters.accept(self.keyspace, object, &mut allowance);
        self.script_work += self.script_work_max - allowance;
        match result {
            Ok(passes) => passes,
            Err(error) => {
                self.failure = Some(error);
                false
            }
        }
    }

    /// Applies the patterns to the name and the filters to the object; keeps the object if it
    /// passes.
    pub fn offer(
        &mut self,
        name: &[u8],
        object: &'o Object,
        view: impl FnOnce() -> Option<Object>,
        distance: f64,
    ) -> Verdict {
        if !self.passes(name, object) {
            let has_failed = self.failure.is_some();
            return if has_failed { Verdict::Complete } else { Verdict::Rejected };
        }
        self.count += 1;
        if self.options.wanted != Wanted::Count {
            let object = view().map_or(Cow::Borrowed(object), Cow::Owned);
            if self.results.is_empty() {
                self.results.reserve(self.options.limit.min(RESERVED_ROWS_MAX) as usize);
            }
            self.results.push(Row { object, distance });
        }
        if self.count < self.options.limit {
            return Verdict::Taken;
        }
        self.cursor = self.visited;
        Verdict::Complete
    }

    /// Returns the objects that are results; none with COUNT.
    pub fn objects(&self) -> impl ExactSizeIterator<Item = &Object> {
        self.results.iter().map(|row| &*row.object)
    }

    /// Returns the number of results.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the number of candidates up to the result that reached the limit; 0 if none did.
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// Charges for the work of scripts. Fails if a script has failed.
    pub fn check(&mut self, call: &mut Call) -> Result<()> {
        call.budget.charge(std::mem::take(&mut self.script_work))?;
        self.failure.take().map_or(Ok(()), Err)
    }

    /// Writes the reply. Fails if a script has failed.
    pub fn reply(mut self, call: &mut Call) -> Result<()> {
        self.check(call)?;
        if self.options.wanted == Wanted::Count {
            reply_count(call, self.count);
            return Ok(());
        }
        let has_distance = self.options.has_distance;
        if call.is_json() {
            self.write_json(call, has_distance)
        } else {
            self.write_resp(call, has_distance)
        }
    }

    fn write_resp(&self, call: &mut Call, has_distance: bool) -> Result<()> {
        write_header(call.out, b'*', 2);
        write_integer(call.out, self.cursor as i64);
        write_header(call.out, b'*', self.results.len());
        let mut scratch = Vec::new();
        for row in &self.results {
            call.budget.charge(self.writing_work(row))?;
            let object = &*row.object;
            let Wanted::Form(form) = self.options.wanted else {
                if has_distance {
                    write_header(call.out, b'*', 2);
                }
                write_bulk(call.out, object.id());
                if has_distance {
                    output::write_distance(call.out, row.distance, false);
                }
                continue;
            };
            let has_fields = !self.options.no_fields && !object.fields().is_empty();
            let parts = 2 + usize::from(has_fields) + usize::from(has_distance);
            write_header(call.out, b'*', parts);
            write_bulk(call.out, object.id());
            output::write_resp(call.out, &mut scratch, object, form);
            if has_fields {
                output::write_fields_resp(call.out, self.keyspace.names(), object);
            }
            if has_distance {
                output::write_distance(call.out, row.distance, false);
            }
        }
        Ok(())
    }

    fn write_json(&self, call: &mut Call, has_distance: bool) -> Result<()> {
        let names = self.keyspace.names();
        let shows_fields =
            !self.options.no_fields && matches!(self.options.wanted, Wanted::Form(_));
        let columns = if shows_fields { self.columns(names) } else { Vec::new() };
        if !columns.is_empty() {
            call.write_member("fields", |out| {
                write_list(out, &columns, |out, column| {
                    json::write_short(out, names.name(*column));
                });
            });
        }
        call.out.extend_from_slice(list_name(self.options.wanted).as_bytes());
        for (index, row) in self.results.iter().enumerate() {
            call.budget.charge(self.writing_work(row))?;
            if index > 0 {
                call.out.push(b',');
            }
            self.write_item(call.out, row, &columns, has_distance);
        }
        call.out.push(b']');
        write_int_member(call.out, "count", self.count as i64);
        write_int_member(call.out, "cursor", self.cursor as i64);
        Ok(())
    }

    fn writing_work(&self, row: &Row) -> u64 {
        match self.options.wanted {
            Wanted::Form(form) => 1 + output::work(&row.object, form),
            _ => 1,
        }
    }

    /// Returns the fields of all results, in the order of their names.
    fn columns(&self, names: &Names) -> Vec<u32> {
        let mut columns: Vec<u32> = Vec::new();
        let mut is_known: Vec<bool> = Vec::new();
        for row in &self.results {
            for (serial, _) in row.object.fields().iter() {
                let index = serial as usize;
                if is_known.len() <= index {
                    is_known.resize(index + 1, false);
                }
                if !is_known[index] {
                    is_known[index] = true;
                    columns.push(serial);
                }
            }
        }
        columns.sort_by(|a, b| names.name(*a).cmp(names.name(*b)));
        columns
    }

    fn write_item(&self, out: &mut Vec<u8>, row: &Row, columns: &[u32], has_distance: bool) {
        let Wanted::Form(form) = self.options.wanted else {
            if has_distance {
                out.extend_from_slice(b"{\"id\":");
                json::write_short(out, row.object.id());
                output::write_distance(out, row.distance, true);
                out.push(b'}');
            } else {
                json::write_short(out, row.object.id());
            }
            return;
        };
        out.extend_from_slice(b"{\"id\":");
        json::write_short(out, row.object.id());
        out.push(b',');
        output::write_json_member(out, &row.object, form);
        if !columns.is_empty() {
            out.extend_from_slice(b",\"fields\":");
            write_list(out, columns, |out, column| {
                row.object.fields().get(*column).unwrap_or(Value::zero()).write_json(out);
            });
        }
        if has_distance {
            output::write_distance(out, row.distance, true);
        }
        out.push(b'}');
    }
}

/// Writes the reply to a search with COUNT; unlike `Call::reply_count`, it has members in JSON.
pub fn reply_count(call: &mut Call, count: u64) {
    if call.is_json() {
        write_int_member(call.out, "count", count as i64);
        write_int_member(call.out, "cursor", 0);
    } else {
        write_integer(call.out, count as i64);
    }
}

fn list_name(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Count => "",
        Wanted::Ids => ",\"ids\":[",
        Wanted::Form(Form::Object) => ",\"objects\":[",
        Wanted::Form(Form::Point) => ",\"points\":[",
        Wanted::Form(Form::Bounds) => ",\"bounds\":[",
        Wanted::Form(Form::Hash(_)) => ",\"hashes\":[",
    }
}

fn write_list<T>(out: &mut Vec<u8>, items: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}
