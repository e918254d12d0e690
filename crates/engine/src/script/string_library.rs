//! The library `string`: functions whose work depends on their arguments report it to the meter.

use std::rc::Rc;

use mlua::{
    Error as LuaError, Function, Lua, MultiValue, Result as LuaResult, String as LuaString, Table,
    Value, Variadic,
};

use super::meter::Meter;
use super::pattern::{Capture, Fault, Match, Matcher};

/// The functions that exist unchanged: their work doesn't depend on their arguments.
const UNCHANGED: [&str; 3] = ["byte", "char", "len"];
/// The functions that copy their arguments.
const COPYING: [&str; 5] = ["format", "lower", "reverse", "sub", "upper"];
/// The most bytes of a string that `rep` makes.
const REPEATED_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Steps of matching a pattern that take as long as a unit of work.
const STEPS_PER_WORK: u64 = 16;

/// Returns the library, made from the original one. Methods of strings use it, too.
pub(super) fn create(lua: &Lua, original: &Table, meter: &Rc<Meter>) -> LuaResult<Table> {
    let library = lua.create_table()?;
    for name in UNCHANGED {
        library.raw_set(name, original.raw_get::<Function>(name)?)?;
    }
    for name in COPYING {
        let function = original.raw_get::<Function>(name)?;
        let meter = Rc::clone(meter);
        let metered = move |_: &Lua, arguments: MultiValue| {
            meter.spend_bytes(arguments.iter().map(text_bytes).sum())?;
            function.call::<MultiValue>(arguments)
        };
        library.raw_set(name, lua.create_function(metered)?)?;
    }
    library.raw_set("rep", repeat_function(lua, meter)?)?;
    for (name, is_find) in [("find", true), ("match", false)] {
        let meter = Rc::clone(meter);
        let function =
            lua.create_function(move |lua, arguments| find(lua, &meter, is_find, arguments))?;
        library.raw_set(name, function)?;
    }
    let iterate = iterator_function(lua, meter)?;
    library.raw_set("gmatch", &iterate)?;
    library.raw_set("gfind", iterate)?;
    library.raw_set("gsub", replace_function(lua, meter)?)?;
    let methods = lua.create_table()?;
    methods.raw_set("__index", &library)?;
    lua.set_type_metatable::<LuaString>(Some(methods));
    Ok(library)
}

fn text_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.as_bytes().len(),
        _ => 0,
    }
}

fn repeat_function(lua: &Lua, meter: &Rc<Meter>) -> LuaResult<Function> {
    let meter = Rc::clone(meter);
    lua.create_function(move |lua, (text, count): (LuaString, f64)| {
        let text = text.as_bytes();
        let count = if count >= 1.0 { count as usize } else { 0 };
        let size = text.len().checked_mul(count).filter(|size| *size <= REPEATED_BYTES_MAX);
        let size = size.ok_or_else(|| LuaError::runtime("resulting string too large"))?;
        meter.spend_bytes(size)?;
        lua.create_string(text.repeat(count.min(size)))
    })
}

/// Removes the `^` of an anchored pattern; returns whether there was one.
fn split_anchor(pattern: &[u8]) -> (bool, &[u8]) {
    match pattern {
        [b'^', rest @ ..] => (true, rest),
        _ => (false, pattern),
    }
}

/// Returns the error of a pattern that isn't matched to the end.
fn error_of(fault: Fault<LuaError>) -> LuaError {
    match fault {
        Fault::Malformed(text) => LuaError::runtime(text),
        Fault::Stopped(error) => error,
    }
}

/// Returns the position in a text that an argument of Lua means: 1 is the first byte, -1 the last.
fn start_of(init: Option<f64>, length: usize) -> usize {
    match init {
        Some(init) if init >= 1.0 => (init as usize - 1).min(length),
        Some(init) if init < 0.0 => length.saturating_sub((-init) as usize),
        _ => 0,
    }
}

fn capture_value(lua: &Lua, subject: &[u8], capture: Capture) -> LuaResult<Value> {
    Ok(match capture {
        Capture::Range(start, end) => Value::String(lua.create_string(&subject[start..end])?),
        Capture::Position(at) => Value::Number((at + 1) as f64),
    })
}

/// Returns the captures of a match, or else the whole of it.
fn captures_of(lua: &Lua, subject: &[u8], found: &Match) -> LuaResult<Vec<Value>> {
    if found.captures.is_empty() {
        return Ok(vec![capture_value(lua, subject, Capture::Range(found.start, found.end))?]);
    }
    found.captures.iter().map(|capture| capture_value(lua, subject, *capture)).collect()
}

type ReplaceArguments = (LuaString, LuaString, Value, Option<f64>);
type FindArguments = (LuaString, LuaString, Option<f64>, Option<Value>);

fn find(
    lua: &Lua,
    meter: &Meter,
    is_find: bool,
    (subject, pattern, init, plain): FindArguments,
) -> LuaResult<Variadic<Value>> {
    let (subject, pattern) = (subject.as_bytes(), pattern.as_bytes());
    let from = start_of(init, subject.len());
    let is_plain = !matches!(plain, None | Some(Value::Nil | Value::Boolean(false)));
    if is_find && is_plain {
        meter.spend_bytes(subject.len())?;
        let at = memchr::memmem::find(&subject[from..], &pattern);
        let positions = at.map(|at| [from + at + 1, from + at + pattern.len()]);
        let values = positions.into_iter().flatten().map(|position| Value::Number(position as f64));
        return Ok(or_nil(values.collect()));
    }
    let report = |steps| meter.spend(steps / STEPS_PER_WORK);
    let (is_anchored, pattern) = split_anchor(&pattern);
    let mut matcher = Matcher::new(&subject, pattern, &report);
    let Some(found) = matcher.search(from, is_anchored).map_err(error_of)? else {
        return Ok(or_nil(Vec::new()));
    };
    if !is_find {
        return Ok(captures_of(lua, &subject, &found)?.into_iter().collect());
    }
    let mut values = vec![Value::Number((found.start + 1) as f64), Value::Number(found.end as f64)];
    for capture in &found.captures {
        values.push(capture_value(lua, &subject, *capture)?);
    }
    Ok(values.into_iter().collect())
}

fn or_nil(mut values: Vec<Value>) -> Variadic<Value> {
    if values.is_empty() {
        values.push(Value::Nil);
    }
    values.into_iter().collect()
}

/// `gmatch(subject, pattern)`: returns an iterator over all matches.
fn iterator_function(lua: &Lua, meter: &Rc<Meter>) -> LuaResult<Function> {
    let meter = Rc::clone(meter);
    lua.create_function(move |lua, (subject, pattern): (LuaString, LuaString)| {
        let meter = Rc::clone(&meter);
        let mut from = 0;
        lua.create_function_mut(move |lua, ()| {
            let subject = subject.as_bytes();
            if from > subject.len() {
                return Ok(or_nil(Vec::new()));
            }
            let report = |steps| meter.spend(steps / STEPS_PER_WORK);
            let pattern = pattern.as_bytes();
            // In `gmatch`, `^` has no special meaning.
            let mut matcher = Matcher::new(&subject, &pattern, &report);
            let Some(found) = matcher.search(from, false).map_err(error_of)? else {
                from = subject.len() + 1;
                return Ok(or_nil(Vec::new()));
            };
            from = if found.end == found.start { found.end + 1 } else { found.end };
            Ok(captures_of(lua, &subject, &found)?.into_iter().collect())
        })
    })
}

/// `gsub(subject, pattern, replacement, count)`.
fn replace_function(lua: &Lua, meter: &Rc<Meter>) -> LuaResult<Function> {
    let meter = Rc::clone(meter);
    lua.create_function(move |lua, (subject, pattern, replacement, count): ReplaceArguments| {
        let (subject, pattern) = (subject.as_bytes(), pattern.as_bytes());
        let (is_anchored, pattern) = split_anchor(&pattern);
        let report = |steps| meter.spend(steps / STEPS_PER_WORK);
        let mut matcher = Matcher::new(&subject, pattern, &report);
        let count_max = count.map_or(usize::MAX, |count| count.max(0.0) as usize);
        let (mut out, mut at, mut count) = (Vec::new(), 0, 0);
        while count < count_max {
            let found = matcher.match_at(at).map_err(error_of)?;
            let end = match &found {
                Some(found) => {
                    count += 1;
                    append_replacement(lua, &mut out, &subject, found, &replacement)?;
                    found.end
                }
                None => at,
            };
            if end > at {
                at = end;
            } else if let Some(byte) = subject.get(at) {
                out.push(*byte);
                at += 1;
            } else {
                break;
            }
            if is_anchored {
                break;
            }
            if out.len() > REPEATED_BYTES_MAX {
                return Err(LuaError::runtime("resulting string too large"));
            }
        }
        out.extend_from_slice(subject.get(at..).unwrap_or_default());
        meter.spend_bytes(out.len())?;
        Ok((lua.create_string(&out)?, count as f64))
    })
}

fn append_replacement(
    lua: &Lua,
    out: &mut Vec<u8>,
    subject: &[u8],
    found: &Match,
    replacement: &Value,
) -> LuaResult<()> {
    let captures = captures_of(lua, subject, found)?;
    let value = match replacement {
        Value::String(text) => {
            return append_template(out, subject, found, &captures, &text.as_bytes());
        }
        Value::Integer(_) | Value::Number(_) => replacement.clone(),
        Value::Table(table) => table.get(captures.into_iter().next().unwrap_or(Value::Nil))?,
        Value::Function(function) => {
            function.call(captures.into_iter().collect::<Variadic<_>>())?
        }
        _ => {
            return Err(LuaError::runtime(
                "bad argument #3 to 'gsub' (string/function/table expected)",
            ))
        }
    };
    if matches!(value, Value::Nil | Value::Boolean(false)) {
        out.extend_from_slice(&subject[found.start..found.end]);
        return Ok(());
    }
    append_text(lua, out, value)
}

fn append_text(lua: &Lua, out: &mut Vec<u8>, value: Value) -> LuaResult<()> {
    let type_name = value.type_name();
    let Some(text) = lua.coerce_string(value)? else {
        return Err(LuaError::runtime(format!("invalid replacement value (a {type_name})")));
    };
    out.extend_from_slice(&text.as_bytes());
    Ok(())
}

/// Appends a replacement in which `%0` is the match, `%1` the first capture.
fn append_template(
    out: &mut Vec<u8>,
    subject: &[u8],
    found: &Match,
    captures: &[Value],
    template: &[u8],
) -> LuaResult<()> {
    let mut bytes = template.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'%' {
            out.push(*byte);
            continue;
        }
        match bytes.next() {
            Some(b'0') => out.extend_from_slice(&subject[found.start..found.end]),
            Some(digit @ b'1'..=b'9') => match captures.get(usize::from(digit - b'1')) {
                Some(Value::String(text)) => out.extend_from_slice(&text.as_bytes()),
                Some(Value::Number(position)) => {
                    super::number_text::write_number(out, *position);
                }
                _ => return Err(LuaError::runtime("invalid capture index")),
            },
            Some(other) => out.push(*other),
            None => return Err(LuaError::runtime("invalid use of '%' in replacement string")),
        }
    }
    Ok(())
}
