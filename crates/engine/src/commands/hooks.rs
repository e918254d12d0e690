//! Hooks and channels: SETHOOK, DELHOOK, PDELHOOK, HOOKS and the same for channels.

use super::record::Channels;
use super::{read, write, Arity, Command, Group, Keys};
use crate::access::{ChannelDemand, Denial, Reason, Rights};
use crate::call::{float_of, Call, Effect};
use crate::endpoints::{self, local_channel, Refusal};
use crate::error::{Error, Result};
use crate::fence::{
    DeliveryOptions, Draft, EndReason, Fence, Hook, HookKind, Meta, Name, SetOutcome, SharedHook,
};
use crate::glob;
use crate::json::{self, escape::write_int_member};
use crate::keyspace::Keyspace;
use crate::object::NEVER;
use crate::query::options::Verb;
use crate::reply::{write_bulk, write_header};
use crate::request::Arguments;

pub(super) const COMMANDS: &[Command] = &[
    write(
        "SETHOOK",
        Arity::AtLeast(1),
        set_hook,
        "name endpoints [META name value]... [EX seconds] [SIGN secret]... \
         [HEADERS name value]... [FORMAT (cloudevents | ndjson)] [BATCH bounds] \
         [DEADLETTER url] [HISTORY bounds] [QUEUE size] [RETRY waits] [SEQUENCE yes] \
         [TIMEOUT duration] [TTL duration] \
         (NEARBY | WITHIN | INTERSECTS) key [FENCE] [DETECT detections] [COMMANDS commands] \
         [VALID hours] [ENDINGS (yes | no)] [DWELL durations] [EVERY duration] \
         [LINGER duration] [ACCURACY field] [HYSTERESIS meters] [option]... \
         (area | IN zones [option]...)",
        "Send messages of a geofence to an endpoint",
    )
    .group(Group::Fences)
    .keys(Keys::Hook),
    write("DELHOOK", Arity::Exactly(2), del_hook, "name", "Delete a hook").group(Group::Fences),
    write(
        "PDELHOOK",
        Arity::Exactly(2),
        pdel_hook,
        "pattern",
        "Delete the hooks whose names match a pattern",
    )
    .group(Group::Fences),
    read(
        "HOOKS",
        Arity::Exactly(2),
        hooks,
        "pattern",
        "List the hooks whose names match a pattern",
    )
    .group(Group::Fences),
    write(
        "SETCHAN",
        Arity::AtLeast(1),
        set_channel,
        "name [META name value]... [EX seconds] [SEQUENCE yes] [HISTORY bounds] \
         (NEARBY | WITHIN | INTERSECTS) key [FENCE] [DETECT detections] [COMMANDS commands] \
         [VALID hours] [ENDINGS (yes | no)] [DWELL durations] [EVERY duration] \
         [LINGER duration] [ACCURACY field] [HYSTERESIS meters] [option]... \
         (area | IN zones [option]...)",
        "Publish messages of a geofence to a channel",
    )
    .group(Group::Fences)
    .keys(Keys::Channel)
    .channels(Channels::First),
    write("DELCHAN", Arity::Exactly(2), del_channel, "name", "Delete a channel")
        .group(Group::Fences)
        .channels(Channels::First),
    write(
        "PDELCHAN",
        Arity::Exactly(2),
        pdel_channel,
        "pattern",
        "Delete the channels whose names match a pattern",
    )
    .group(Group::Fences)
    .channels(Channels::Patterns),
    read(
        "CHANS",
        Arity::Exactly(2),
        channels,
        "pattern",
        "List the channels whose names match a pattern",
    )
    .group(Group::Fences),
];

/// The number of seconds from which on Tile38's deadline overflows, so that it has passed at once.
const SECONDS_MAX: f64 = 9_223_372_036.0;

/// SETHOOK name url[,url…] {META name value | EX seconds | delivery option} search
fn set_hook(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    set(HookKind::Hook, keyspace, call)
}

/// SETCHAN name {META name value | EX seconds | delivery option} search
fn set_channel(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    set(HookKind::Channel, keyspace, call)
}

fn set(kind: HookKind, keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    let mut words = call.words();
    let name = Name::from(words.next_filled()?);
    let endpoints = match kind {
        HookKind::Hook => parse_endpoints(words.next_filled()?, keyspace)?,
        HookKind::Channel => Vec::new(),
    };
    let mut metas: Vec<Meta> = Vec::new();
    let mut deadline = NEVER;
    let mut options = DeliveryOptions::default();
    let verb = loop {
        let word = words.next_filled()?;
        match &word.to_ascii_uppercase()[..] {
            b"META" => {
                let (meta, value) = (words.next_filled()?, words.next_filled()?);
                metas.retain(|(present, _)| **present != *meta);
                metas.push((meta.into(), value.into()));
            }
            b"EX" => deadline = parse_deadline(words.next_filled()?, call.now_ns)?,
            b"NEARBY" => break Verb::Nearby,
            b"WITHIN" => break Verb::Within,
            b"INTERSECTS" => break Verb::Intersects,
            _ if options.take(kind, word, &mut words)? => {}
            _ => return Err(Error::invalid(word)),
        }
    };
    options.finish(&endpoints)?;
    if let Some(url) = options.setting("DEADLETTER") {
        parse_endpoints(url, keyspace)?;
    }
    metas.sort();
    let first = call.args.len() - words.left() - 1;
    let search = call.args.iter().skip(first).map(Box::from).collect();
    let fence = Fence::parse(verb, &mut words, keyspace)?;
    if !call.is_replayed {
        fence.check_schedule(keyspace)?;
    }
    check_endpoints(&endpoints, call.rights)?;
    check_present(keyspace.fences().get(&name).map(|hook| &**hook), call.rights)?;
    let draft = Draft { kind, name, fence, endpoints, metas, words: search, deadline, options };
    let is_changed = attach(draft, keyspace)?;
    Ok(call.reply_changes(usize::from(is_changed)))
}

/// Refuses `local://` endpoints with channels that the user may not use.
fn check_endpoints(urls: &[Box<[u8]>], rights: Option<&Rights>) -> Result<()> {
    let Some(rights) = rights else { return Ok(()) };
    let mut channels = urls.iter().filter_map(|url| local_channel(url));
    match channels.find(|channel| !rights.allows_channel(ChannelDemand::Name(channel))) {
        None => Ok(()),
        Some(channel) => Err(denied(Reason::Channel, channel)),
    }
}

/// Refuses to change or remove a hook that the user can't see, because it may not read its keys.
pub(super) fn check_present<'h>(
    hooks: impl IntoIterator<Item = &'h Hook>,
    rights: Option<&Rights>,
) -> Result<()> {
    let Some(rights) = rights else { return Ok(()) };
    for hook in hooks {
        if let Some(key) = hidden_key(hook, rights) {
            return Err(denied(Reason::Key, key));
        }
    }
    Ok(())
}

fn denied(reason: Reason, object: &[u8]) -> Error {
    Error::Denied(Denial { reason, object: object.to_vec() })
}

/// Returns a key of a hook's search that the user may not read; `None` if it may read all.
fn hidden_key<'h>(hook: &'h Hook, rights: &Rights) -> Option<&'h [u8]> {
    let mut arguments = Arguments::default();
    arguments.assign(&hook.words);
    let references = Keys::Search.references(arguments.view(&[]));
    let is_hidden = references.iter().any(|reference| !rights.reads_key(reference.key));
    is_hidden.then_some(&hook.watch.fence.key)
}

/// Returns whether lists show a hook or channel to a user.
pub fn is_shown(hook: &Hook, rights: Option<&Rights>) -> bool {
    rights.is_none_or(|rights| {
        let is_channel = hook.kind() == HookKind::Channel;
        (!is_channel || rights.allows_channel(ChannelDemand::Name(&hook.name)))
            && hidden_key(hook, rights).is_none()
    })
}

fn attach(draft: Draft, keyspace: &mut Keyspace) -> Result<bool> {
    let (kind, name) = (draft.kind, draft.name.clone());
    let had_numbers = keyspace.fences().sequence(&name).is_some();
    let setting = keyspace.fences_mut().set(draft);
    keyspace.prepare_zones();
    match setting {
        // An unchanged hook is reported, too: its waiting messages are sent again at once.
        SetOutcome::New | SetOutcome::Same => {}
        SetOutcome::Replaced => keyspace.reports_mut().removed_fences += 1,
        SetOutcome::Taken => {
            return Err(Error::text("hooks and channels cannot share the same name"));
        }
    }
    let has_numbers = had_numbers || keyspace.fences().sequence(&name).is_some();
    report(keyspace, kind, has_numbers, name);
    Ok(setting != SetOutcome::Same)
}

/// Reports a change of a hook, or of a channel whose events have or had numbers.
pub(super) fn report(keyspace: &mut Keyspace, kind: HookKind, has_numbers: bool, name: Name) {
    if kind == HookKind::Hook || has_numbers {
        keyspace.reports_mut().hooks.push(name);
    }
}

/// Returns the URLs. Fails with the first bad one; only the log tells why it is bad.
fn parse_endpoints(list: &[u8], keyspace: &mut Keyspace) -> Result<Vec<Box<[u8]>>> {
    let checker = keyspace.endpoint_checker.clone();
    let check = |url: &[u8]| checker.as_ref().map_or(Ok(()), |checker| checker.check(url));
    let urls = endpoints::split(list);
    for url in &urls {
        if let Err(Refusal { reason, reply }) = check(url) {
            keyspace.reports_mut().refused_urls.push(reason);
            return Err(reply.map_or_else(|| Error::invalid(url), |reply| Error::text(&reply)));
        }
    }
    Ok(urls)
}

fn parse_deadline(word: &[u8], now_ns: i64) -> Result<i64> {
    let seconds = float_of(word)?;
    if !(seconds > 0.0 && seconds < SECONDS_MAX) {
        return Ok(now_ns);
    }
    // A deadline beyond the year 2262 never comes, but the hook counts as one that expires.
    Ok(now_ns.saturating_add((seconds * 1e9) as i64).min(NEVER - 1))
}

/// DELHOOK name
fn del_hook(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    delete(HookKind::Hook, keyspace, call)
}

/// DELCHAN name
fn del_channel(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    delete(HookKind::Channel, keyspace, call)
}

fn delete(kind: HookKind, keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    let names = named(kind, keyspace, call)?;
    Ok(remove_named(&names, keyspace, call))
}

fn remove_named(names: &[Name], keyspace: &mut Keyspace, call: &mut Call) -> Effect {
    for name in names {
        remove(keyspace, name, EndReason::HookDeleted);
    }
    call.reply_changes(names.len())
}

/// Reads a name. Returns it if there is such a hook or channel. Fails if the user can't see it.
pub(super) fn named(kind: HookKind, keyspace: &Keyspace, call: &mut Call) -> Result<Vec<Name>> {
    let name = call.words().next_filled()?;
    let hook = keyspace.fences().get(name).filter(|hook| hook.kind() == kind);
    check_present(hook.map(|hook| &**hook), call.rights)?;
    Ok(hook.map(|hook| hook.name.clone()).into_iter().collect())
}

/// Reads a pattern. Returns the names that match it, sorted. Fails if the user can't see one of
/// these hooks or channels.
pub(super) fn named_by_pattern(
    kind: HookKind,
    keyspace: &Keyspace,
    call: &mut Call,
) -> Result<Vec<Name>> {
    let pattern = call.words().next_filled()?;
    check_present(matching(kind, keyspace, pattern), call.rights)?;
    Ok(matching(kind, keyspace, pattern).map(|hook| hook.name.clone()).collect())
}

/// Removes a hook or channel and reports it. The visits to its fence end for a reason.
pub fn remove(keyspace: &mut Keyspace, name: &[u8], reason: EndReason) -> Option<HookKind> {
    let has_numbers = keyspace.fences().sequence(name).is_some();
    let hook = keyspace.fences_mut().remove(name, reason)?;
    keyspace.reports_mut().removed_fences += 1;
    report(keyspace, hook.kind(), has_numbers, hook.name.clone());
    Some(hook.kind())
}

/// Removes all hooks and channels and reports the hooks.
pub(super) fn remove_all(keyspace: &mut Keyspace) {
    keyspace.reports_mut().has_flush = true;
    let fences = keyspace.fences();
    let facts =
        |hook: &SharedHook| (hook.kind(), fences.sequence(&hook.name).is_some(), hook.name.clone());
    let names: Vec<_> = fences.from(b"").map(facts).collect();
    keyspace.fences_mut().clear();
    // For live fences, which stay.
    keyspace.prepare_zones();
    for (kind, has_numbers, name) in names {
        report(keyspace, kind, has_numbers, name);
    }
}

/// PDELHOOK pattern
fn pdel_hook(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    delete_matching(HookKind::Hook, keyspace, call)
}

/// PDELCHAN pattern
fn pdel_channel(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    delete_matching(HookKind::Channel, keyspace, call)
}

fn delete_matching(kind: HookKind, keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    let names = named_by_pattern(kind, keyspace, call)?;
    Ok(remove_named(&names, keyspace, call))
}

/// Returns the hooks or channels whose names match, sorted by name. A pattern that begins with `?`
/// or `[` has an empty range of names and finds nothing, as with KEYS.
pub(super) fn matching<'k>(
    kind: HookKind,
    keyspace: &'k Keyspace,
    pattern: &'k [u8],
) -> impl Iterator<Item = &'k Hook> {
    let prefix = glob::prefix(pattern);
    let is_unbounded = glob::is_unbounded(pattern);
    let is_searched = is_unbounded || !prefix.is_empty();
    keyspace
        .fences()
        .from(prefix)
        .take_while(move |hook| is_searched && (is_unbounded || hook.name.starts_with(prefix)))
        .filter(move |hook| hook.kind() == kind && glob::matches(pattern, &hook.name))
        .map(|hook| &**hook)
}

/// HOOKS pattern
fn hooks(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    list(HookKind::Hook, keyspace, call)
}

/// CHANS pattern
fn channels(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    list(HookKind::Channel, keyspace, call)
}

fn list(kind: HookKind, keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    let pattern = call.words().next_filled()?;
    let mut found = Vec::new();
    for hook in matching(kind, keyspace, pattern) {
        call.budget.charge(1)?;
        if is_shown(hook, call.rights) {
            found.push(hook);
        }
    }
    if !call.is_json() {
        write_header(call.out, b'*', found.len());
        for hook in found {
            write_resp(call.out, hook);
        }
        return Ok(());
    }
    let now_ns = call.now_ns;
    let name = if kind == HookKind::Hook { "hooks" } else { "chans" };
    call.write_member(name, |out| {
        out.push(b'[');
        for (index, hook) in found.into_iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write_json(out, hook, now_ns);
        }
        out.push(b']');
    });
    Ok(())
}

fn write_words<'w>(out: &mut Vec<u8>, words: impl ExactSizeIterator<Item = &'w [u8]>) {
    write_header(out, b'*', words.len());
    for word in words {
        write_bulk(out, word);
    }
}

fn write_resp(out: &mut Vec<u8>, hook: &Hook) {
    write_header(out, b'*', 5 + usize::from(!hook.options.is_empty()));
    write_bulk(out, &hook.name);
    write_bulk(out, &hook.watch.fence.key);
    if hook.kind() == HookKind::Channel {
        let url = [b"local://", &hook.name[..]].concat();
        write_words(out, std::iter::once(&url[..]));
    } else {
        write_words(out, hook.endpoints.iter().map(|url| &**url));
    }
    write_words(out, hook.words.iter().map(|word| &**word));
    write_header(out, b'*', hook.metas.len() * 2);
    for (name, value) in &hook.metas {
        write_bulk(out, name);
        write_bulk(out, value);
    }
    if !hook.options.is_empty() {
        write_words(out, hook.options.shown().collect::<Vec<_>>().into_iter());
    }
}

fn write_json(out: &mut Vec<u8>, hook: &Hook, now_ns: i64) {
    out.push(b'{');
    json::write_short(out, b"name");
    out.push(b':');
    json::write_short(out, &hook.name);
    out.extend_from_slice(b",\"key\":");
    json::write_short(out, &hook.watch.fence.key);
    write_int_member(out, "ttl", hook.ttl(now_ns));
    if hook.kind() == HookKind::Hook {
        out.extend_from_slice(b",\"endpoints\":");
        write_texts(out, &hook.endpoints);
    }
    out.extend_from_slice(b",\"command\":");
    write_texts(out, &hook.words);
    out.extend_from_slice(b",\"meta\":");
    out.push(b'{');
    for (index, (name, value)) in hook.metas.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        json::write_short(out, name);
        out.push(b':');
        json::write_short(out, value);
    }
    out.push(b'}');
    if !hook.options.is_empty() {
        out.extend_from_slice(b",\"options\":");
        write_texts(out, &hook.options.shown().map(Box::from).collect::<Vec<_>>());
    }
    if hook.is_paused {
        out.extend_from_slice(b",\"paused\":true");
    }
    out.push(b'}');
}

fn write_texts(out: &mut Vec<u8>, texts: &[Box<[u8]>]) {
    out.push(b'[');
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        json::write_short(out, text);
    }
    out.push(b']');
}
