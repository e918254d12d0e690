//! Sessions: framing, output, gates, splitting at every byte.

use super::*;
use crate::commands::record::{Arity, Facts, Group};
use crate::endpoints::{EndpointChecker, Refusal};

fn clock() -> u64 {
    1
}

fn talk(engine: &mut Engine, session: &mut Session, bytes: &[u8]) -> String {
    let batch = session.feed(engine, bytes, 1_000_000_000, &clock);
    String::from_utf8(batch.replies).unwrap()
}

fn ask(bytes: &[u8]) -> String {
    let mut engine = Engine::new(false);
    talk(&mut engine, &mut Session::new(false, None), bytes)
}

/// Makes a command the driver's.
fn register(engine: &mut Engine, name: &str, flags: Flags) {
    let words = name.split(' ').count();
    let facts = Facts::new(Group::Server, Arity::AtLeast(words)).with(flags);
    engine.register(name, "", "", facts, Vec::new());
}

const PIPELINE: &[u8] = b"*6\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\na\r\n\
    $5\r\nPOINT\r\n$1\r\n1\r\n$1\r\n2\r\n\
    *3\r\n$3\r\nGET\r\n$1\r\nk\r\n$1\r\na\r\nset k b string 'x y'\r\nget k b\r\n$4 PING\r\n";

#[test]
fn requests_of_all_framings_share_a_connection() {
    assert_eq!(
        ask(PIPELINE),
        "+OK\r\n$36\r\n{\"type\":\"Point\",\"coordinates\":[2,1]}\r\n\
         +OK\r\n$3\r\nx y\r\n$7 +PONG\r\n\r\n"
    );
}

#[test]
fn replies_and_log_are_the_same_at_every_split() {
    let whole = {
        let mut engine = Engine::new(false);
        Session::new(false, None).feed(&mut engine, PIPELINE, 0, &clock)
    };
    for split in 0..PIPELINE.len() {
        let mut engine = Engine::new(false);
        let mut session = Session::new(false, None);
        let first = session.feed(&mut engine, &PIPELINE[..split], 0, &clock);
        let second = session.feed(&mut engine, &PIPELINE[split..], 0, &clock);
        assert_eq!([first.replies, second.replies].concat(), whole.replies, "{split}");
        assert_eq!([first.log, second.log].concat(), whole.log, "{split}");
    }
}

/// Many are read before the first of them runs.
#[test]
fn a_long_pipeline_runs_in_order_around_what_stops_it() {
    let mut engine = Engine::new(false);
    register(&mut engine, "CONFIG GET", Flags::ADMIN);
    let set = |n: usize| {
        let words = "*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nx\r\n$6\r\nSTRING\r\n";
        format!("{words}$2\r\n{n}\r\n")
    };
    let get = "*3\r\n$3\r\nGET\r\n$1\r\nk\r\n$1\r\nx\r\n";
    let pairs: String = (10..60).map(|n| set(n) + get).collect();
    let bytes = pairs.clone() + "*3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$1\r\na\r\n" + &pairs;
    let reply = |n: usize| format!("+OK\r\n$2\r\n{n}\r\n");
    let replies: String = (10..60).map(reply).collect();
    let mut session = Session::new(false, None);
    let first = session.feed(&mut engine, bytes.as_bytes(), 0, &clock);
    assert_eq!(String::from_utf8(first.replies).unwrap(), replies);
    assert!(matches!(first.stop, Some(Stop::Command { .. })));
    assert_eq!(talk(&mut engine, &mut session, b""), replies);
}

#[test]
fn only_changes_reach_the_log() {
    let mut engine = Engine::new(false);
    let mut session = Session::new(false, None);
    let requests = b"del k a\r\nget k a\r\nset k a point 1 2\r\n";
    let batch = session.feed(&mut engine, requests, 0, &clock);
    let text = String::from_utf8(batch.log).unwrap();
    let words = "$3\r\nset\r\n$1\r\nk\r\n$1\r\na\r\n$5\r\npoint\r\n$1\r\n1\r\n$1\r\n2\r\n";
    assert_eq!(text, format!("*6\r\n{words}"));
}

#[test]
fn a_bad_first_request_closes_in_silence_a_later_one_is_told() {
    assert_eq!(ask(b"*-1\r\n"), "");
    assert_eq!(ask(b"ping\r\n*-1\r\n"), "+PONG\r\n-Protocol error: invalid multibulk length\r\n");
    let told = "$61\r\n{\"ok\":false,\"err\":\"Protocol error: invalid multibulk length\"}\r\n";
    assert!(ask(b"output json\r\n*-1\r\n").ends_with(told));
}

#[test]
fn server_commands_stop_the_session_and_it_goes_on_behind_them() {
    let mut engine = Engine::new(false);
    register(&mut engine, "CONFIG GET", Flags::ADMIN);
    let mut session = Session::new(false, None);
    let batch = session.feed(&mut engine, b"config get x\r\nping\r\n", 0, &clock);
    let Some(Stop::Command { name, args, .. }) = batch.stop else { panic!("no stop") };
    assert_eq!((name.as_str(), args), ("CONFIG GET", vec![b"x".to_vec()]));
    assert_eq!(talk(&mut engine, &mut session, b""), "+PONG\r\n");
    assert_eq!(
        talk(&mut engine, &mut session, b"config nope\r\nconfig\r\n"),
        "-ERR unknown command 'config nope'\r\n-ERR unknown command 'config'\r\n"
    );
}

#[test]
fn a_long_read_is_handed_over_and_answers_from_its_snapshot() {
    let mut engine = Engine::new(false);
    let mut session = Session::new(false, None);
    for id in 0..READ_WORK_MAX + 10 {
        let set = format!("set k {id} field f {id} point 1 2\r\n");
        session.feed(&mut engine, set.as_bytes(), 0, &clock);
    }
    let batch = session.feed(&mut engine, b"scan k where f 5 7 count\r\nping\r\n", 0, &clock);
    assert!(batch.replies.is_empty());
    let Some(Stop::Reads(mut read)) = batch.stop else { panic!("no long read") };
    talk(&mut engine, &mut Session::new(false, None), b"drop k\r\n");
    assert_eq!(read.run(&clock), b":3\r\n");
    assert_eq!(talk(&mut engine, &mut session, b""), "+PONG\r\n");
}

#[test]
fn what_takes_long_with_few_objects_is_handed_over_too() {
    let mut engine = Engine::new(false);
    let mut run = |words: &[&str]| {
        let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        Session::new(false, None).run_words(&mut engine, &words, 0, &clock)
    };
    let vertices = "[1,2],[3,4],".repeat(READ_WORK_MAX as usize * 3);
    let line = format!(r#"{{"type":"LineString","coordinates":[{vertices}[0,1]]}}"#);
    run(&["set", "k", "long", "object", &line]);
    run(&["set", "k", "point", "point", "1", "2"]);
    let mut is_handed_over = |words: &[&str]| match run(words).stop {
        Some(Stop::Reads(mut read)) => !read.run(&clock).starts_with(b"-"),
        _ => false,
    };
    let sum = format!("{}1", "1 + ".repeat(100_000));
    for words in [
        &["get", "k", "long"][..],
        &["scan", "k", "limit", "1"],
        &["nearby", "k", "point", "0", "0"],
        &["test", "get", "k", "long", "intersects", "get", "k", "long"],
        &["scan", "k", "where", &sum, "ids"],
    ] {
        assert!(is_handed_over(words), "{:.50}", words.join(" "));
    }
    for words in
        [&["get", "k", "long", "bounds"][..], &["scan", "k", "ids"], &["get", "k", "point"]]
    {
        assert!(!is_handed_over(words), "{}", words.join(" "));
    }
}

#[test]
fn http_hands_all_bytes_over() {
    let mut engine = Engine::new(false);
    let mut session = Session::new(false, None);
    let batch = session.feed(&mut engine, b"GET / HTTP/1.1\r\nHost: x\r\n", 0, &clock);
    let Some(Stop::Http(rest)) = batch.stop else { panic!("no http") };
    assert_eq!(rest, b"GET / HTTP/1.1\r\nHost: x\r\n");
}

#[test]
fn a_loaded_log_gives_the_state_that_was_live() {
    let mut live = Engine::new(false);
    let batch = Session::new(false, None).feed(&mut live, PIPELINE, 0, &clock);
    let mut loaded = Engine::new(false);
    let padded = [&b"\0\0"[..], &batch.log, b"eval x 0\r\n", &batch.log[..10]].concat();
    let load = loaded.load(&padded, 0);
    assert_eq!((load.consumed, load.commands, load.error), (padded.len() - 10, 3, None));
    assert_eq!(load.skipped.get("EVAL"), Some(&1));
    assert_eq!(loaded.keyspace.counts(), live.keyspace.counts());
    assert_eq!(loaded.load(b"bogus\r\n", 0).error.unwrap(), b"unknown command 'bogus'");
}

#[test]
fn what_is_overdue_is_deleted_and_logged() {
    let mut engine = Engine::new(false);
    let mut session = Session::new(false, None);
    talk(&mut engine, &mut session, b"set k a ex 1 point 1 2\r\nset k b point 1 2\r\n");
    let mut log = Vec::new();
    assert_eq!(engine.expire(1_500_000_000, 10, &mut log), 0);
    assert_eq!(engine.expire(2_000_000_000, 10, &mut log), 1);
    assert_eq!(log, b"*3\r\n$3\r\ndel\r\n$1\r\nk\r\n$1\r\na\r\n");
    assert_eq!(talk(&mut engine, &mut session, b"get k a\r\n"), "$-1\r\n");
}

#[test]
fn a_live_session_hands_out_every_request() {
    let mut engine = Engine::new(false);
    let mut session = Session::new(false, None);
    session.is_live = true;
    let mut batch = session.feed(&mut engine, b"quit\r\n$6 Ping x\r\n", 0, &clock);
    for (expected, framing) in [("QUIT", Framing::Inline), ("PING", Framing::Native)] {
        let Some(Stop::Command { name, .. }) = batch.stop else { panic!("no stop") };
        assert_eq!((name.as_str(), session.framing()), (expected, Some(framing)));
        batch = session.feed(&mut engine, b"", 0, &clock);
    }
    assert!(batch.stop.is_none());
}

#[test]
fn commands_that_ran_are_told_to_who_looks() {
    let mut engine = Engine::new(false);
    let mut session = Session::new(false, None);
    let quiet = session.feed(&mut engine, b"get k i\r\n", 0, &clock);
    assert!(quiet.monitored.is_empty() && !quiet.needs_dispatch());
    engine.is_monitored = true;
    register(&mut engine, "INFO", Flags::READ);
    let text = b"ping\r\nget k\r\nnothing\r\nget k i\r\ntimeout 1 Get k j\r\ninfo x\r\n";
    let batch = session.feed(&mut engine, text, 0, &clock);
    let told: Vec<&str> =
        batch.monitored.iter().map(|t| std::str::from_utf8(&t.1).unwrap()).collect();
    assert_eq!(told, [r#""get" "k" "i""#, r#""Get" "k" "j""#]);
    let Some(Stop::Command { shown, .. }) = batch.stop else { panic!("no stop") };
    assert_eq!(shown, br#""info" "x""#);
    let batch = session.feed(&mut engine, b"get k i\r\n", 0, &clock);
    assert!(batch.stop.is_none() && batch.needs_dispatch());
}

struct NoEndpoints;

impl EndpointChecker for NoEndpoints {
    fn check(&self, _url: &[u8]) -> std::result::Result<(), Refusal> {
        Err(Refusal { reason: "why".to_string(), reply: None })
    }
}

#[test]
fn a_batch_with_more_than_replies_and_log_bytes_needs_dispatch() {
    let mut engine = Engine::new(false);
    engine.keyspace.endpoint_checker = Some(std::sync::Arc::new(NoEndpoints));
    let mut session = Session::new(false, None);
    let mut needs_dispatch = |engine: &mut Engine, text: &[u8]| {
        let batch = session.feed(engine, text, 0, &clock);
        assert!(batch.stop.is_none());
        batch.needs_dispatch()
    };
    assert!(needs_dispatch(&mut engine, b"sethook h nowhere near k point 1 1 1\r\n"));
    assert!(!needs_dispatch(&mut engine, b"set k i point 1 1\r\n"));
    assert!(!needs_dispatch(&mut engine, b"get k i\r\n"));
    engine.timing.slow_ns = 0;
    assert!(needs_dispatch(&mut engine, b"get k i\r\n"));
}

#[test]
fn a_client_that_needs_resp_is_pushed_resp_where_connections_start_in_json() {
    let mut engine = Engine::new(false);
    register(&mut engine, "SUBSCRIBE", Flags::SUBSCRIBES);
    register(&mut engine, "COMMAND", Flags::INTROSPECTION);
    let subscribe = b"*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n";
    let docs = b"*2\r\n$7\r\nCOMMAND\r\n$4\r\nDOCS\r\n";
    let cases = [
        (&docs[..], Output::Resp),
        (b"PING\r\n", Output::Json),
        (b"*2\r\n$7\r\nCOMMAND\r\n$4\r\ndocs\r\n", Output::Json),
    ];
    for (first, expected) in cases {
        let mut session = Session::new(false, Some(Output::Json));
        talk(&mut engine, &mut session, first);
        assert_eq!(session.output(), Output::Json);
        session.feed(&mut engine, subscribe, 0, &clock);
        assert_eq!(session.output(), expected, "{}", String::from_utf8_lossy(first));
    }
}

/// A command as the log holds it.
fn log_entry(words: &[&str]) -> Vec<u8> {
    let bulks = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
    format!("*{}\r\n{}", words.len(), bulks.collect::<String>()).into_bytes()
}

#[test]
fn flushdb_while_the_log_is_loading_skips_the_rest_of_it() {
    let mut engine = Engine::new(false);
    engine.state.is_loading = true;
    let log = [&["FLUSHDB"][..], &["SET", "k", "a", "POINT", "1", "1"]].map(log_entry).concat();
    assert_eq!(engine.load(&log, 0).commands, 2);
    assert_eq!(engine.keyspace.counts().objects, 1, "a flush of the log itself ends nothing");
    let mut session = Session::new(false, None);
    let batch = session.feed(&mut engine, b"SET k b POINT 1 1\r\nFLUSHDB\r\n", 0, &clock);
    let refusal = b"-LOADING Tile38 is loading the dataset in memory\r\n+OK\r\n";
    assert_eq!(
        (&batch.replies[..], &batch.log[..]),
        (&refusal[..], &b"*1\r\n$7\r\nFLUSHDB\r\n"[..])
    );
    let load = engine.load(&[&log[..], &b"*1\r\n$3\r\nSE"[..]].concat(), 0);
    assert_eq!((load.commands, load.consumed, load.error), (2, log.len(), None));
    assert_eq!(engine.keyspace.counts().objects, 0);
    engine.state.is_loading = false;
    assert_eq!(engine.load(&log, 0).commands, 2);
    assert_eq!(engine.keyspace.counts().objects, 1, "other logs are run");
}

#[test]
fn hooks_of_the_log_are_not_reported_to_sessions_while_it_is_loading() {
    let mut engine = Engine::new(false);
    engine.state.is_loading = true;
    let hook = ["SETHOOK", "h", "http://a", "WITHIN", "k", "FENCE", "BOUNDS", "0", "0", "1", "1"];
    assert_eq!(engine.load(&log_entry(&hook), 0).error, None);
    let batch = Session::new(false, None).feed(&mut engine, b"PING\r\n", 0, &clock);
    assert!(batch.outbox.hooks_changed.is_empty());
    assert_eq!(engine.take_outbox().hooks_changed.len(), 1);
}

#[test]
fn a_request_too_large_for_the_memory_that_is_left_is_refused_before_it_has_arrived() {
    let mut engine = Engine::new(false);
    engine.request_bytes_max = 1000;
    let refusal = b"-OOM command not allowed when used memory > 'maxmemory'\r\n";
    for head in [&b"*3\r\n$3\r\nSET\r\n$1000\r\n"[..], b"*1\r\n$1000\r\n0123"] {
        let mut session = Session::new(false, None);
        let batch = session.feed(&mut engine, head, 0, &|| 1);
        assert_eq!(batch.replies, refusal);
        assert!(matches!(batch.stop, Some(Stop::Close(_))));
        assert_eq!(session.buffered(), 0);
    }
    let mut session = Session::new(false, None);
    let batch = session.feed(&mut engine, b"$1000 SET", 0, &|| 1);
    assert!(String::from_utf8(batch.replies).unwrap().contains("{\"ok\":false,\"err\":\"OOM "));
    let mut session = Session::new(false, None);
    let batch = session.feed(&mut engine, b"*1\r\n$900\r\n0123", 0, &|| 1);
    assert!(batch.replies.is_empty() && batch.stop.is_none());
}

#[test]
fn what_follows_a_large_request_and_a_stop_does_not_wait_for_as_many_bytes() {
    for is_in_one_packet in [true, false] {
        let mut engine = Engine::new(false);
        register(&mut engine, "STOP", Flags::empty());
        let mut session = Session::new(false, None);
        let large = [b"*2\r\n$4\r\nPING\r\n$9000\r\n".to_vec(), vec![b'x'; 9000]].concat();
        assert_eq!(talk(&mut engine, &mut session, &large), "");
        let rest: [&[u8]; 2] = [b"\r\n", b"STOP\r\nPING\r\n"];
        if is_in_one_packet {
            assert!(talk(&mut engine, &mut session, &rest.concat()).starts_with("$9000"));
        } else {
            assert!(talk(&mut engine, &mut session, rest[0]).starts_with("$9000"));
            assert_eq!(talk(&mut engine, &mut session, rest[1]), "");
        }
        assert_eq!(talk(&mut engine, &mut session, b""), "+PONG\r\n");
    }
}

#[test]
fn a_request_above_the_query_limit_is_refused_and_requests_are_counted() {
    let mut engine = Engine::new(false);
    engine.query_bytes_max = 1000;
    let mut session = Session::new(false, None);
    assert_eq!(talk(&mut engine, &mut session, b"PING\r\nPING\r\n*2\r\n"), "+PONG\r\n+PONG\r\n");
    assert_eq!(session.request_count, 2);
    let error = "-Protocol error: request above client-query-buffer-limit\r\n";
    assert_eq!(talk(&mut engine, &mut session, b"$4\r\nPING\r\n$1000\r\n"), error);
}
