//! The expression language of WHERE: compiled once, evaluated for each object.
//!
//! Tile38 splits the text anew for each object; the tree built here gives the same results. A
//! malformed expression isn't reported; it is false for every object.

mod evaluate;
mod lexer;
mod literal;
mod operators;
mod parser;
mod pattern;
mod syntax;
mod tree;
mod value;

use std::borrow::Cow;

use evaluate::Evaluator;
use pattern::PatternCache;
use tree::Node;

/// Maximum bytes of an expression; a longer one is false, since a tree takes hundreds of times its
/// text.
pub const EXPRESSION_BYTES_MAX: usize = 1 << 20;

/// The object for which an expression is evaluated.
pub trait Scope {
    /// Returns the JSON text of a member of the `GeoJSON` that isn't part of its geometry:
    /// `properties`, `id`, `bbox` or any foreign one. Such a member takes precedence over all other
    /// meanings of its name.
    fn member(&self, name: &[u8]) -> Option<Cow<'_, [u8]>>;

    /// Returns the object's id.
    fn id(&self) -> &[u8];

    /// Returns the object's `GeoJSON` type; `None` for strings.
    fn type_name(&self) -> Option<&'static str>;

    /// Returns the stored field of that name.
    fn field(&self, name: &[u8]) -> Option<FieldValue<'_>>;
}

/// The value of a stored field in expressions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FieldValue<'a> {
    /// The word `null`.
    Null,
    /// The words `true` and `false`.
    Bool(bool),
    /// A number; NaN and infinities are read as strings.
    Number(f64),
    /// An integer beyond 2^53 as its text, since a double doesn't tell it from its neighbours.
    Integer(&'a [u8]),
    /// The content of a string.
    Text(&'a [u8]),
    /// The text of a JSON array or object.
    Json(&'a [u8]),
}

/// A compiled expression.
#[derive(Debug)]
pub struct Expression {
    /// `None` if the text is no expression.
    tree: Option<Node>,
    patterns: PatternCache,
}

impl Expression {
    /// Compiles an expression. A malformed one compiles, too, and is always false.
    pub fn compile(text: &[u8]) -> Self {
        let is_long = text.len() > EXPRESSION_BYTES_MAX;
        let tree = if is_long { None } else { parser::parse(text).ok() };
        Self { tree, patterns: PatternCache::default() }
    }

    /// Returns whether the expression is true for the object. One that can't be computed is false.
    pub fn evaluate(&self, scope: &dyn Scope) -> bool {
        let Some(tree) = &self.tree else { return false };
        let evaluator = Evaluator { scope, patterns: &self.patterns };
        evaluator.value(tree).is_ok_and(|value| value.truth())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Default)]
    struct Object {
        id: &'static str,
        type_name: Option<&'static str>,
        members: BTreeMap<&'static str, &'static str>,
        fields: BTreeMap<&'static str, FieldValue<'static>>,
    }

    impl Scope for Object {
        fn member(&self, name: &[u8]) -> Option<Cow<'_, [u8]>> {
            let raw = self.members.get(std::str::from_utf8(name).ok()?)?;
            Some(Cow::Borrowed(raw.as_bytes()))
        }

        fn id(&self) -> &[u8] {
            self.id.as_bytes()
        }

        fn type_name(&self) -> Option<&'static str> {
            self.type_name
        }

        fn field(&self, name: &[u8]) -> Option<FieldValue<'_>> {
            self.fields.get(std::str::from_utf8(name).ok()?).copied()
        }
    }

    fn point(id: &'static str, fields: &[(&'static str, FieldValue<'static>)]) -> Object {
        let fields = fields.iter().copied().collect();
        Object { id, type_name: Some("Point"), fields, ..Object::default() }
    }

    fn number(value: f64) -> FieldValue<'static> {
        FieldValue::Number(value)
    }

    fn text(content: &'static str) -> FieldValue<'static> {
        FieldValue::Text(content.as_bytes())
    }

    fn is_true(expression: &str, object: &Object) -> bool {
        Expression::compile(expression.as_bytes()).evaluate(object)
    }

    fn check(object: &Object, trues: &[&str], falses: &[&str]) {
        for expression in trues {
            assert!(is_true(expression, object), "{expression}");
        }
        for expression in falses {
            assert!(!is_true(expression, object), "{expression}");
        }
    }

    /// Returns the objects that the recorded expressions were tried on.
    fn recorded_objects() -> [Object; 4] {
        let json = FieldValue::Json(br#"{"k":5,"l":[1,2]}"#);
        let (no, yes) = (FieldValue::Bool(false), FieldValue::Bool(true));
        [
            point("a", &[("x", number(1.0)), ("y", number(2.0)), ("s", text("abc")), ("b", yes)]),
            point(
                "b",
                &[("x", number(-3.5)), ("s", text("ABD")), ("b", no), ("n", FieldValue::Null)],
            ),
            point(
                "c",
                &[("x", number(10.0)), ("y", number(10.0)), ("s", number(10.0)), ("j", json)],
            ),
            point("d", &[]),
        ]
    }

    /// Expressions with the ids of the objects for which Tile38 found them true.
    #[test]
    fn recorded_expressions_select_the_same_objects() {
        for (expression, ids) in [
            (r#"(((id) ?? (n)) ? (s) : (id > true)).match("ABC")"#, "a"),
            (r#"(j.k) || (j.k) === ("") || (null) != false"#, "c"),
            ("((0 <= n) + (null < id)) % (((2) / (y)) / (x))", "bcd"),
            ("(((n) % (2)) * (n <= 2.5)) || (0 <= x != !(false))", "b"),
            (r#"y != "abc" != !("") < (true) ? (null) : (b)"#, "a"),
            (r#"((j.k > 2) ? (n > 2) : ((2.5) ?? (x))) * (!(y) == !(""))"#, "bd"),
            (r#"(j.k) + (2) <= 2 >= y !== !("10" == s)"#, "a"),
            (r#"((true) * (y)) ?? (0) <= "abc""#, "ac"),
            ("!(null <= n) === (!(n)) || (s)", "abc"),
            ("!((10) ? (j.k) : (y) >= b <= s)", "abd"),
            (r#"(((j.k) || (2.5)) + ((y) / (s))) ?? ((b) && ("10") <= (j.k) % (y))"#, "c"),
            (r#"(!(10)) ? ((n) - ("10")) : (x > y) >= (("abc") || ("10")) || (s)"#, "abc"),
            (r#"b !== (j.k > 10) * ("" > true)"#, "ab"),
            (r#"(s <= "10" >= 1) || ((null === false).match("a*"))"#, "cd"),
            (r#"!(0 === 2.5) >= b == b < (1) - ("abc")"#, "bcd"),
            (r#"s > b > "abc" != !(s)"#, "d"),
            (r#"(s === y) ?? (true) >= (id) % (y) < ("abc") * ("abc")"#, "cd"),
            ("(id != false) ? (10 >= s) : ((s) ?? (false)) == id", "cd"),
            ("(j.k) / (id >= (s) ?? (10))", "c"),
            (r#"(0 !== 0) && ((10) % ("")) !== ((false) % (1)) || (!(y))"#, "bd"),
            ("b <= x != !(y) === !(!(2.5))", "abc"),
            (r#"(x) ?? (0 >= x !== false == "abc")"#, "abc"),
            ("null <= 2.5 === y === false < y", "bd"),
            (r#"!(b) == ("10") * (10) >= true"#, "bcd"),
            (r#"(!((b) && ("abc"))) || ((false <= "abc") * ((0) ? (0) : (n)))"#, "bcd"),
            ("(s > j.k) && (x) > (!(10)) + (0)", "c"),
            ("(((x) ?? (id)) % (!(n))) / (y == (2) ?? (id))", "b"),
            (r#"(!(y)) ?? (2 !== 1) != (("10") ? (b) : (true)).match("?b?")"#, "bd"),
            ("((n >= 0) * (b)) || ((x) / (s) != !(j.k))", "abcd"),
            (r#"!("" >= "10" >= 0 > j.k)"#, "abcd"),
            (r#"((n === id) || ((x) ?? (""))) / ((false) ?? (s) < !(x))"#, ""),
            (r#"(1).match("?b?") != 2.5 === false >= !((0) ?? (2.5))"#, ""),
            (r#"(((s) * ("10")) && ((2) - (2))) || ((j.k <= true) % ("10" == b))"#, ""),
            (r#"((true) && ("") > !(id)) ?? (("abc" === s) && (("10") && (10)))"#, ""),
            ("!(((1) ?? (1)) ?? (id >= 10))", ""),
            (r#"(null) || ((false) - (2.5) < (null) + ("10"))"#, ""),
            (r#"((10 !== "abc") + ((id) * (y))) % ((true) % (s) > !(x))"#, ""),
            (r#"((x) + (x) > "10" == j.k) - (y == true < ("abc") || (10))"#, "abcd"),
            (r#"(((j.k) || (2)) ?? (s < true)) * (!("abc"))"#, ""),
            (r#"n === (j.k) ? (b) : (true) !== (id) ?? ("abc") == x"#, "abcd"),
            (r#"!((y).match("*0")) <= !((y) + (false))"#, ""),
            (r#"(null == null) ?? (10) == ((j.k) - ("10")) || (!(10))"#, "abcd"),
            (r#"!((10).match("?b?"))"#, "abcd"),
            (r#"(!(("").match("*0"))) || (s !== "abc" !== (id) * (s))"#, "abcd"),
            ("!(0 > 2 < 2.5 > 0)", ""),
            (r#"!((2.5) && (1) > (false) ?? ("10"))"#, ""),
            (r#"((2) % (s) == 1 < y) - ((1 == "") ?? ((10) || (s)))"#, ""),
            (r#""10" === !(x) === n"#, ""),
        ] {
            let compiled = Expression::compile(expression.as_bytes());
            let objects = recorded_objects();
            let found = objects.iter().filter(|object| compiled.evaluate(*object));
            let found: String = found.map(|object| object.id).collect();
            assert_eq!(found, ids, "{expression}");
        }
    }

    #[test]
    fn arithmetic_follows_javascript_where_tile38_does() {
        let object = point("a", &[("x", number(10.0)), ("y", number(3.0)), ("age", number(7.0))]);
        check(
            &object,
            &[
                "x + y == 13",
                "x + y * 2 == 16",
                "(x + y) * 2 == 26",
                "x - y - 2 == 5",
                "x % y",
                "-x == -10",
                "x / 0 == Infinity",
                "x * (-1) == -10",
                "0x0A == x",
                ".5 * 20 == x",
                "10. == x",
                "x & 2",
                "x | 4",
                "7.9 % 3",
                "!1 + 1 == 0",
                "2 - -2 == 4",
                "age - 1",
                "5i64 / 2i64 === 2i64",
                "1i64 == 1",
                "\"a\" + 1 == \"A1\"",
                "[1, 2] + 0 == \"1,20\"",
                "-7 % 3 == -1",
                "0, 1",
                "(1i64 / 0i64) != (1i64 / 0i64)",
                "'5' > 4",
                "+'5' === 5",
            ],
            &[
                "0 / 0 == 0 / 0",
                "x * -1 == -10",
                "x ^ 10",
                "x -  10",
                "y-3",
                "age-1",
                "1 + !0",
                "2 --2",
                "1i64 === 1",
                "",
                "1, 0",
                "true == 'true'",
                "[1, 2]",
                "[]",
                "NaN",
            ],
        );
    }

    #[test]
    fn integers_compare_exactly() {
        let mut object = point("a", &[("low", FieldValue::Integer(b"8301034833169298414"))]);
        object.fields.insert("negative", FieldValue::Integer(b"-8301034833169298414"));
        object.fields.insert("high", FieldValue::Integer(b"8301034833169298415"));
        object.members.insert("properties", r#"{"id":8301034833169298415,"list":[1]}"#);
        check(
            &object,
            &[
                "low == 8301034833169298414",
                "low === 8_301_034_833_169_298_414",
                "low < high",
                "low != high",
                "high > 8301034833169298414",
                "negative == -8301034833169298414",
                "-low == negative",
                "-negative === +low",
                "negative > -high",
                "high === properties.id",
                "low === 0x73333333333333EE",
                "low == '8301034833169298414'",
                "low == 8301034833169298414i64",
                "low === 8301034833169298414.0",
                "low + 1 == high + 1",
                "[low] == low",
                "low + '' === '8301034833169298414'",
                "low.match('*414')",
                "low && !!low",
                "9007199254740993i64 > 9007199254740992u64",
                "9007199254740991 < 9007199254740992",
                "low == 8301034833169298413.0",
            ],
            &[
                "low == 8301034833169298415",
                "low >= high",
                "low == properties.id",
                "low == '8301034833169298415'",
                "low == 8301034833169298415i64",
                "low === 8301034833169298414i64",
                "0xFFFFFFFFFFFFFFFF == 18446744073709551614",
                "9007199254740993i64 == 9007199254740992u64",
                "[low] == high",
            ],
        );
    }

    #[test]
    fn comparisons_across_kinds() {
        check(
            &Object::default(),
            &[
                "\"abc\" == \"ABC\"",
                "\"a\" === \"A\"",
                "null == 0",
                "undefined == undefined",
                "null <= null",
                "[5]",
                "'a' < 'B'",
                "!undefined",
                "null ?? 1",
                "undefined ?? 'x'",
                "(0 ?? 1) === 0",
                "true > false",
                "'b' > 'A'",
                "'é' != 'É'",
            ],
            &["null == undefined", "null < 0", "'' == 0", "NaN == NaN", "undefined ?? 0", "''"],
        );
    }

    #[test]
    fn names_are_looked_up_in_order() {
        let mut object = point("c", &[("age", number(99.0)), ("nan", number(f64::NAN))]);
        let properties = r#"{"name":"Bob","age":30,"tags":["x"],"a.b":1,"deep":{"n":1}}"#;
        object.members.insert("properties", properties);
        check(
            &object,
            &[
                "properties.age > 29",
                "properties.name == 'bob'",
                "properties.tags[0] == \"x\"",
                "properties.deep.n == 1",
                "age == 99",
                "id == 'C'",
                "type == 'Point'",
                "this",
                "this.age == 99",
                "this[\"age\"] == 99",
                "this.id == 'c'",
                "z == 0",
                "!properties",
                "properties.nope == undefined",
                "properties['tags']['#'] == 1",
                "nan === 'NaN'",
                "properties['a\\\\.b'] == 1",
                "missing.x == undefined",
                "properties.nope?.x == undefined",
                "properties != 1",
                "1 !== properties",
                "properties != properties",
                "this != this",
                "(properties == 1) == undefined",
                "(properties || 1) == undefined",
            ],
            &[
                "properties",
                "properties.nope.x",
                "coordinates[0] == 1",
                "geometry.type == 'Point'",
                "(properties.nope.x) || 1",
                "properties == properties",
                "properties === properties",
                "this == this",
                "!this",
                "properties && 1",
                "1 || properties",
                "this.nope",
                "undefined.x",
            ],
        );
        object.members.insert("id", "\"foreign\"");
        check(&object, &["id == 'foreign'"], &["id == 'c'"]);
    }

    #[test]
    fn an_operand_that_is_not_needed_fails_all_the_same() {
        check(
            &Object { type_name: Some("Point"), ..Object::default() },
            &["1 || !missing.x", "1 || !this.missing", "1 || !'text'.x"],
            &[
                "1 || !undefined.x",
                "1 || !(this + 1).x",
                "1 || !missing.x.y",
                "0 && 1, 1 || !(0, undefined).x",
            ],
        );
    }

    #[test]
    fn strings_have_no_type() {
        let object = Object { id: "s", ..Object::default() };
        check(
            &object,
            &["this.type == undefined"],
            &["type == undefined", "type != 1", "1 || type"],
        );
    }

    #[test]
    fn patterns_match_text() {
        let object = point("a", &[("kind", text("Bus")), ("pattern", text("^b.s$"))]);
        check(
            &object,
            &[
                "kind.match('b*')",
                "kind.match('?US')",
                "(5).match('5')",
                "type.match('*int')",
                "kind =~ 'us'",
                "kind =~ '(?i)^bus$'",
                "'bus' =~ pattern",
                "kind['match']('b*')",
                "'x5' =~ '\\\\d'",
                "null.match('null')",
                "kind.match",
            ],
            &[
                "kind.match('u*')",
                "kind =~ 'bus'",
                "kind =~ '('",
                "kind =~ '(' || 1",
                "kind()",
                "kind.nope('x')",
                "kind.match('b*')('b*')",
                "properties.match.match('0')",
                "match('a')",
            ],
        );
    }

    #[test]
    fn an_operand_that_is_not_needed_still_fails() {
        let object = point("a", &[("x", number(1.0))]);
        check(
            &object,
            &["x || x.y", "1 || x", "!(x - 1 && 5)", "0 || 1 || x == 2"],
            &["1 || x.y.z", "x ? 1 : x.y.z", "1 ?? x.y.z", "!(0 && x.y.z)", "(x.y.z, 1)"],
        );
    }

    #[test]
    fn hostile_expressions_are_answered() {
        let object = point("a", &[]);
        for (start, repeated, end) in [
            ("", "1+", "1"),
            ("", "1||", "1"),
            ("", "[", "]"),
            ("", "((((", "1"),
            ("a", ".b", ""),
            ("a", "[a]", ""),
            ("", "1?2:", "3"),
            ("", "!", "1"),
            ("", "- ", "1"),
            ("1", ",1", ""),
        ] {
            let expression = [start, &repeated.repeat(20_000), end].concat();
            is_true(&expression, &object);
        }
        let nested = ["(".repeat(99), "1".into(), ")".repeat(99)].concat();
        assert!(is_true(&nested, &object));
        let long = format!("1{}", " ".repeat(EXPRESSION_BYTES_MAX));
        assert!(!is_true(&long, &object));
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            Expression::compile(&bytes).evaluate(&recorded_objects()[2]);
        }

        #[test]
        fn random_tokens_never_panic(
            tokens in proptest::collection::vec(proptest::sample::select(vec![
                "x", "s", "j", "n", "this", "type", "1", "-", "+", "*", "!", "==", "<", "&&", "||",
                "??", "?", ":", "(", ")", "[", "]", ".", "?.", "k", "match", "'#'", "'a*'", "=~",
                ",", "i64", "1u64", "0", "/", "%", "&", " ", "e", "null", "undefined", "\\", "'",
            ]), 0..30),
        ) {
            let expression = Expression::compile(tokens.concat().as_bytes());
            for object in &recorded_objects() {
                expression.evaluate(object);
            }
        }
    }
}
