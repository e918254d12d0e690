//! Lua scripts in a session: results, commands, the sandbox, limits, and what failures leave.

use std::cell::Cell;

use engine::engine::Engine;
use engine::session::{Batch, Session, Stop};
use proptest::prelude::*;

/// A server with one connection and a clock that advances with each reading.
struct Server {
    engine: Engine,
    session: Session,
    now_ns: Cell<u64>,
    step_ns: u64,
}

impl Server {
    fn new() -> Self {
        let (engine, session) = (Engine::new(false), Session::new(false, None));
        Server { engine, session, now_ns: Cell::new(0), step_ns: 1000 }
    }

    fn feed(&mut self, words: &[&str]) -> Batch {
        let words = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
        let words: Vec<_> = words.collect();
        let bytes = format!("*{}\r\n{}", words.len(), words.concat());
        let clock = || {
            self.now_ns.set(self.now_ns.get() + self.step_ns);
            self.now_ns.get()
        };
        self.session.feed(&mut self.engine, bytes.as_bytes(), 1_000_000_000, &clock)
    }

    /// Returns the reply; that of a long read, too.
    fn ask(&mut self, words: &[&str]) -> String {
        let batch = self.feed(words);
        let reply = match batch.stop {
            Some(Stop::Reads(mut read)) => read.run(&|| {
                self.now_ns.set(self.now_ns.get() + self.step_ns);
                self.now_ns.get()
            }),
            _ => batch.replies,
        };
        String::from_utf8_lossy(&reply).replace("\r\n", " ").trim_end().to_string()
    }

    fn eval(&mut self, script: &str) -> String {
        self.ask(&["EVAL", script, "0"])
    }
}

#[test]
fn results_become_replies() {
    let mut server = Server::new();
    for (script, reply) in [
        ("return 1", ":1"),
        ("return -3.99", ":-4"),
        ("return 'x'", "$1 x"),
        ("return", "$-1"),
        ("return true", ":1"),
        ("return false", "$-1"),
        ("return {1, 'x', {2}}", "*3 :1 $1 x *1 :2"),
        ("return {1, 2, ok='x'}", "*3 :1 :2 $1 x"),
        ("return {ok='fine'}", "+fine"),
        ("return {err='bad'}", "-ERR bad"),
        ("return {err='BAD thing'}", "-BAD thing"),
        ("return {b=2, a=1}", "*2 *2 $1 a :1 *2 $1 b :2"),
        ("return tostring", "-ERR Unsupported lua type: function"),
        ("return 1, 2", ":1"),
        ("return tostring(1234567.5)", "$13 1.2345675e+06"),
        ("return #KEYS + #ARGV", ":0"),
        ("return EVAL_CMD", "$4 eval"),
        ("return DEADLINE", "$-1"),
        ("return math.huge == 1.7976931348623157e308", ":1"),
        ("return string.gsub('hello', 'l', {l='L'})", "$5 heLLo"),
        ("return ('x'):rep(3)", "$3 xxx"),
        ("local n = 0 for w in ('a b c'):gmatch('%a') do n = n + 1 end return n", ":3"),
        ("local t = {3, 1, 2} table.sort(t) return table.concat(t, ',')", "$5 1,2,3"),
    ] {
        assert_eq!(server.eval(script), reply, "{script}");
    }
    assert_eq!(server.ask(&["EVAL", "return {KEYS, ARGV}", "1", "k", "a"]), "*2 *1 $1 k *1 $1 a");
}

#[test]
fn arguments_are_checked_in_order() {
    let mut server = Server::new();
    let arity = "-ERR wrong number of arguments for 'eval' command";
    for (words, reply) in [
        (&["EVAL"][..], arity),
        (&["EVAL", "", "0"], arity),
        (&["EVAL", "return 1", ""], arity),
        (&["EVAL", "return 1", "-1"], "-ERR invalid argument '-1'"),
        (&["EVAL", "return (", "x"], "-ERR invalid argument 'x'"),
        (&["EVAL", "return (", "1"], arity),
        (&["EVAL", "return 1", "0", ""], arity),
    ] {
        assert_eq!(server.ask(words), reply, "{words:?}");
    }
}

#[test]
fn scripts_are_cached_by_their_sha() {
    let mut server = Server::new();
    let sha = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
    let missing = "-NOSCRIPT No matching script. Please use EVAL.";
    assert_eq!(server.ask(&["EVALSHA", sha, "0"]), missing);
    assert_eq!(server.ask(&["SCRIPT", "LOAD", "return 1"]), format!("$40 {sha}"));
    for command in ["EVALSHA", "evalrosha", "EVALNASHA"] {
        assert_eq!(server.ask(&[command, sha, "0"]), ":1");
    }
    assert_eq!(server.ask(&["script exists", sha, "x"]), "*2 :1 :0");
    assert_eq!(server.ask(&["SCRIPT", "FLUSH"]), "$2 OK");
    assert_eq!(server.ask(&["EVALSHA", sha, "0"]), missing);
    assert!(server.ask(&["SCRIPT", "LOAD", "return ("]).starts_with("-ERR f_"));
    assert_eq!(
        server.ask(&["SCRIPT", "LOAD"]),
        "-ERR wrong number of arguments for 'script' command"
    );
    assert_eq!(server.ask(&["SCRIPT", "KILL"]), "-ERR unknown command 'SCRIPT KILL'");
}

#[test]
fn errors_name_the_script_and_the_line() {
    let mut server = Server::new();
    for (script, line) in [
        ("\nlocal x = tile38.call('nope') return x", "2"),
        ("return tile38.call('nope')", "1"),
        ("\nreturn tile38.call('nope')", "2"),
        ("local function f() return tile38.call('nope') end\nlocal x = f() return x", "1"),
        ("\nreturn string.gsub('a', 'a', tile38.call)", "2"),
    ] {
        let reply = server.eval(script);
        assert!(reply.starts_with("-ERR f_"), "{reply}");
        let end = format!(":{line}: ERR command not supported in scripts");
        assert!(reply.ends_with(&end), "{reply}");
    }
    let reply = server.eval("x = 5");
    assert!(reply.ends_with(":1: attempt to create global variable 'x'"), "{reply}");
    let reply = server.eval("_G.x = 5");
    assert!(reply.ends_with(":1: attempt to create global variable 'x'"), "{reply}");
}

#[test]
fn the_sandbox_has_no_way_out() {
    let mut server = Server::new();
    for name in [
        "io",
        "package",
        "debug",
        "coroutine",
        "require",
        "load",
        "loadstring",
        "loadfile",
        "dofile",
        "collectgarbage",
        "newproxy",
        "setfenv",
        "getfenv",
        "pcall",
        "xpcall",
        "error",
        "rawset",
        "rawget",
        "rawequal",
        "setmetatable",
        "getmetatable",
        "print",
        "next",
        "pairs",
        "ipairs",
        "select",
        "unpack",
        "type",
        "assert",
        "module",
        "os.execute",
        "os.exit",
        "os.getenv",
        "os.remove",
        "string.dump",
        "table.foreach",
        "_G.load",
    ] {
        assert_eq!(server.eval(&format!("return {name} == nil")), ":1", "{name}");
    }
    let bytecode = server.eval("\x1bLua");
    assert!(bytecode.starts_with("-ERR"), "{bytecode}");
}

#[test]
fn scripts_leave_nothing_behind() {
    let mut server = Server::new();
    for script in [
        "tile38 = nil",
        "tonumber = nil",
        "string.leak = 1",
        "string.rep = nil",
        "table.insert = 5",
        "KEYS = 1",
        "_G.math = {}",
        "_G._G = nil",
    ] {
        assert_eq!(server.eval(script), "$-1", "{script}");
    }
    let check = "return {tile38.sha1hex('') and 1, tonumber('5'), string.leak == nil, \
        ('x'):rep(2), math.floor(1.5), #KEYS, _G._G == _G, table.insert ~= 5}";
    assert_eq!(server.eval(check), "*8 :1 :5 :1 $2 xx :1 :0 :1 :1");
}

#[test]
fn runs_of_a_script_share_nothing() {
    let mut server = Server::new();
    let script = "local seen = {#KEYS, #ARGV, string.leak == nil, tonumber ~= 5, KEYS[1]} \
        KEYS.x = 1 KEYS = 1 string.leak = 1 tonumber = 5 tile38 = nil return seen";
    let run =
        |server: &mut Server, words: &[&str]| server.ask(&[&["EVAL", script], words].concat());
    assert_eq!(run(&mut server, &["1", "k", "a", "b"]), "*5 :1 :2 :1 :1 $1 k");
    assert_eq!(run(&mut server, &["0"]), "*4 :0 :0 :1 :1");
    // An error ends a script before anything after it could undo its changes.
    let failing = "tile38.leak = 1 tonumber = 5 return nil + 1";
    assert!(server.eval(failing).starts_with("-ERR f_"));
    assert_eq!(run(&mut server, &["1", "m"]), "*5 :1 :0 :1 :1 $1 m");
    assert_eq!(server.eval("return tile38.leak == nil and tonumber('5')"), ":5");
    // These change tables without `__newindex`.
    for script in ["table.insert(string, 'leak')", "table.insert(_G, 'leak')"] {
        assert_eq!(server.eval(script), "$-1", "{script}");
    }
    assert_eq!(server.eval("return {string[1] == nil, #string}"), "*2 :1 :0");
    assert_eq!(server.eval("return {_G[1] == nil, #_G}"), "*2 :1 :0");
    // A global variable that was removed can't be set again, but is back in the next run.
    let removing = "local was = ARGV[1] ARGV = nil ARGV = 1 return was";
    for argument in ["a", "b"] {
        let reply = server.ask(&["EVAL", removing, "0", argument]);
        assert!(reply.ends_with("attempt to create global variable 'ARGV'"), "{reply}");
    }
    assert_eq!(server.eval("return #ARGV"), ":0");
    assert_eq!(server.ask(&["EVALRO", "return EVAL_CMD", "0"]), "$6 evalro");
    assert_eq!(server.eval("return EVAL_CMD"), "$4 eval");
    assert_eq!(server.ask(&["EVAL", "return {KEYS, ARGV}", "1", "\u{e9}", "a"]).len(), 19);
}

#[test]
fn scripts_that_test_objects_have_no_host() {
    let mut server = Server::new();
    server.ask(&["SET", "k", "a", "POINT", "1", "1"]);
    let tests = "return tile38.pcall('set', 'k', 'b', 'point', 1, 1).err";
    let search = format!("return tile38.call('scan', 'k', 'whereeval', \"{tests}\", 0, 'ids')");
    assert_eq!(server.eval(&search), "*2 :0 *1 $1 a");
    let raising = search.replace("pcall", "call");
    let reply = server.eval(&raising);
    assert!(reply.ends_with("ERR command not supported in scripts"), "{reply}");
    let clock = "return tile38.call('scan', 'k', 'whereeval', 'return os.clock() == 0', 0, 'ids')";
    assert_eq!(server.eval(clock), "*2 :0 *1 $1 a");
    assert_eq!(server.eval("return tile38.call('get', 'k', 'b')"), "$-1");
}

#[test]
fn writes_are_logged_one_by_one_and_stay_after_an_error() {
    let mut server = Server::new();
    let batch = server.feed(&[
        "EVAL",
        "tile38.call('set', KEYS[1], 'a', 'point', 5, 6.5) tile38.call('get', KEYS[1], 'a') \
         tile38.call('del', KEYS[1], 'nope') return tile38.call('nope')",
        "1",
        "k",
    ]);
    assert!(batch.replies.starts_with(b"-ERR f_"));
    let logged = "*6\r\n$3\r\nset\r\n$1\r\nk\r\n$1\r\na\r\n$5\r\npoint\r\n$1\r\n5\r\n$3\r\n6.5\r\n";
    assert_eq!(String::from_utf8(batch.log).unwrap(), logged);
    assert_eq!(server.ask(&["SCAN", "k", "IDS"]), "*2 :0 *1 $1 a");
}

#[test]
fn a_script_that_takes_too_long_is_undone() {
    let mut server = Server::new();
    server.ask(&["SET", "k", "old", "STRING", "1"]);
    server.ask(&["SET", "l", "gone", "STRING", "1"]);
    server.step_ns = 10_000_000;
    for writes in [
        "tile38.call('set', 'k', 'old', 'string', 2) tile38.call('del', 'l', 'gone')",
        "tile38.call('set', 'k', 'new', 'string', 2) tile38.call('rename', 'k', 'm') \
         tile38.call('drop', 'l') tile38.call('set', 'm', 'old', 'string', 3)",
    ] {
        let batch = server.feed(&["EVAL", &format!("{writes} while true do end"), "0"]);
        assert_eq!(batch.replies, b"-ERR timeout\r\n");
        assert!(batch.log.is_empty());
        assert_eq!(server.ask(&["KEYS", "*"]), "*2 $1 k $1 l");
        assert_eq!(server.ask(&["GET", "k", "old"]), "$1 1");
        assert_eq!(server.ask(&["SCAN", "k", "COUNT"]), ":1");
        assert_eq!(server.ask(&["GET", "l", "gone"]), "$1 1");
    }
}

#[test]
fn a_script_with_timeout_and_one_that_is_not_atomic_keep_their_writes() {
    let mut server = Server::new();
    server.step_ns = 10_000_000;
    let script = "tile38.call('set', 'k', ARGV[1], 'string', 1) while true do end";
    let batch = server.feed(&["TIMEOUT", "0.2", "EVAL", script, "0", "a"]);
    assert_eq!(batch.replies, b"-ERR timeout\r\n");
    assert!(!batch.log.is_empty());
    assert_eq!(server.ask(&["EVALNA", script, "0", "b"]), "-ERR timeout");
    assert_eq!(server.ask(&["SCAN", "k", "IDS"]), "*2 :0 *2 $1 a $1 b");
}

#[test]
fn endless_scripts_are_stopped() {
    let mut server = Server::new();
    server.step_ns = 20_000_000;
    for script in [
        "while true do end",
        "local function f() return f() end return f()",
        "while true do local s = ('x'):rep(100000) end",
        "return ('a'):rep(30):find(('a*'):rep(30) .. 'b')",
        "return ('a'):rep(100000):gsub('.-b', '')",
        "local t = {} for i = 1, 10000 do t[i] = i end while true do table.insert(t, 1, 0) \
         table.remove(t, 1) end",
        "while true do json.encode({1, 2, 3}) end",
        "while true do tile38.pcall('keys', '*') end",
        "('x'):rep(10):gsub('x', function() while true do end end)",
        "table.sort({3, 2, 1}, function() while true do end end)",
    ] {
        assert_eq!(server.eval(script), "-ERR timeout", "{script}");
        assert_eq!(server.ask(&["EVALRO", script, "0"]), "-ERR timeout", "EVALRO {script}");
    }
    assert_eq!(server.eval("return 1"), ":1");
}

#[test]
fn scripts_that_exhaust_memory_or_the_stack_fail_alone() {
    let mut server = Server::new();
    server.step_ns = 0;
    for (script, text) in [
        ("local s = 'x' while true do s = s .. s end", "not enough memory"),
        ("local t = {} for i = 1, 1e9 do t[i] = i end", "not enough memory"),
        ("local s = ('x'):rep(1e9)", "resulting string too large"),
        ("local function f() return 1 + f() end return f()", "stack overflow"),
        ("local t = {} t.x = t return t", "nested too deeply"),
        ("local s = ('x'):rep(2000000) return s:gsub('x', s)", "too large"),
        ("local t = 1 for i = 1, 300 do t = {t} end return t", "nested too deeply"),
        ("return ('x'):rep(300):match(('x?'):rep(300))", "pattern too complex"),
        ("return ('['):find('[')", "malformed pattern"),
    ] {
        let reply = server.eval(script);
        assert!(reply.contains(text), "{script}: {reply}");
        assert_eq!(server.eval("return 1"), ":1");
    }
}

#[test]
fn forbidden_commands_have_their_errors() {
    let mut server = Server::new();
    for name in ["ping", "eval", "script", "sethook", "stats", "jdel", "config", "x", "aofshrink"] {
        let reply = server.eval(&format!("return tile38.pcall('{name}')"));
        assert_eq!(reply, "-ERR command not supported in scripts", "{name}");
    }
    for (script, reply) in [
        ("return tile38.pcall('flushdb')", "-ERR unknown command 'flushdb'"),
        ("return tile38.pcall('INFO')", "-ERR unknown command 'INFO'"),
        ("return tile38.pcall()", "-ERR command not supported in scripts"),
        ("return tile38.pcall('within', 'k', 'fence', 'bounds', 1, 1, 2, 2)", "-ERR going live"),
        ("return tile38.call('get', 'k', '', 'x')", "ERR invalid number of arguments"),
    ] {
        assert!(server.eval(script).contains(reply), "{script}");
    }
    server.engine.state.is_read_only = true;
    let set = "return tile38.pcall('set', 'k', 'a', 'point', 1, 1)";
    assert_eq!(server.eval(set), "-ERR read only");
    assert_eq!(server.ask(&["EVALNA", set, "0"]), "-ERR read only");
}

#[test]
fn a_long_reading_script_runs_on_a_snapshot() {
    let mut server = Server::new();
    server.ask(&["SET", "k", "a", "STRING", "x"]);
    let script = "for i = 1, 1e6 do end return tile38.call('get', 'k', 'a')";
    assert!(matches!(server.feed(&["EVALRO", script, "0"]).stop, Some(Stop::Reads(_))));
    let mut server = Server::new();
    server.ask(&["SET", "k", "a", "STRING", "x"]);
    assert_eq!(server.ask(&["EVALRO", script, "0"]), "$1 x");
}

#[test]
fn objects_are_tested_by_scripts() {
    let mut server = Server::new();
    for n in 0..9 {
        server.ask(&["SET", "k", &n.to_string(), "FIELD", "n", &n.to_string(), "POINT", "1", "1"]);
    }
    let mut scan =
        |script: &str| server.ask(&["SCAN", "k", "WHEREEVAL", script, "1", "5", "COUNT"]);
    assert_eq!(scan("return FIELDS.n and FIELDS.n > tonumber(ARGV[1])"), ":3");
    assert_eq!(scan("return ID == '4'"), ":1");
    assert_eq!(scan("return FIELDS.x.y"), ":0");
    assert_eq!(scan("return _G['I' .. 'D'] == '4'"), ":1");
    assert_eq!(scan("ID = 5 FIELDS = nil return tile38.pcall('keys', '*')"), ":9");
    assert!(scan("return tile38.call('keys', '*')").contains("not supported in scripts"));
    assert!(scan("error('x')").starts_with("-ERR f_"));
    assert!(scan("return tostring").ends_with("script returned value of type function"));
    assert_eq!(scan("while true do end"), "-ERR timeout");
    assert_eq!(scan("return true"), ":9");
}

#[test]
fn failing_scripts_leave_nothing_behind() {
    let mut server = Server::new();
    server.ask(&["SET", "k", "a", "POINT", "1", "1"]);
    for n in 0..3000 {
        let script = format!("return nope({n})");
        assert!(server.eval(&script).starts_with("-ERR"));
        assert!(server.ask(&["SCAN", "k", "WHEREEVAL", &script, "0"]).starts_with("-ERR"));
        assert!(server.ask(&["SCAN", "k", "WHEREEVAL", "return (", "0"]).starts_with("-ERR"));
        assert!(server.ask(&["SCAN", "k", "WHEREEVALSHA", "x", "0"]).starts_with("-ERR sha"));
    }
    assert_eq!(server.eval("return 1"), ":1");
}

/// Parts of scripts, so that some random ones run.
const PARTS: &[&str] = &[
    "local t = {} ",
    "t[1] = t ",
    "return t ",
    "return ",
    "while true do ",
    "end ",
    "for i=1,9 do ",
    "tile38.call('set','k','i','point',1,1) ",
    "tile38.pcall('scan','k') ",
    "tile38.call(",
    "string.rep('x', 1e6) ",
    "('a'):find('(a*)*b') ",
    "('x%'):gsub('%', '%1') ",
    "json.encode(t) ",
    "json.decode('[1,{}]') ",
    "string.format('%s%d%q', 1, 2, 3) ",
    "nil ",
    "1/0 ",
    "{err=t} ",
    "function() ",
    ") ",
    "x = 1 ",
    "_G[t] = 1 ",
    "#t ",
    ".. ",
    "t.t.t ",
    "KEYS[1] ",
    "0/0, ",
    "table.concat({1, {}}) ",
    "table.insert(t, -5, 1) ",
    "math.random(0) ",
    "os.difftime() ",
    "tile38.sha1hex() ",
    "tile38.distance_to('x') ",
    "tonumber('z', 99) ",
    "string.char(-1) ",
    "{ok=1} ",
    "{err=1} ",
    "string.sub('x', -1e300, 1e300) ",
    "string.rep('x', -1/0) ",
];

proptest! {
    /// Arbitrary scripts neither panic nor outlive their time, and the next script runs.
    #[test]
    fn arbitrary_scripts_do_no_harm(
        parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..12),
    ) {
        let mut server = Server::new();
        server.step_ns = 50_000_000;
        let script = parts.concat();
        for command in ["EVAL", "EVALRO", "EVALNA"] {
            server.ask(&[command, &script, "1", "k"]);
        }
        server.ask(&["SET", "k", "a", "POINT", "1", "1"]);
        server.ask(&["SCAN", "k", "WHEREEVAL", &script, "0"]);
        prop_assert_eq!(server.eval("return {tile38.sha1hex('') ~= nil, 2}"), "*2 :1 :2");
    }
}
