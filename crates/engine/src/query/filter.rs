//! WHERE, WHEREIN and WHEREEVAL: filters of searches by the objects' fields.

use std::borrow::Cow;

use super::expression::Expression;
use super::field_path::read_field;
use super::scope::ObjectScope;
use crate::call::Words;
use crate::error::{Error, Result};
use crate::field::{Names, Value};
use crate::json::path;
use crate::keyspace::Keyspace;
use crate::object::Object;
use crate::script::{cached_script, ObjectTest, ScriptCache};

/// The size of one unit of work: bytes of an expression, bytes of GeoJSON's members that it may
/// read, and compared values.
const EXPRESSION_BYTES_PER_WORK: usize = 32;
const MEMBER_BYTES_PER_WORK: usize = 128;
const VALUES_PER_WORK: usize = 8;

/// All filters of a search; an object has to pass each.
#[derive(Default)]
pub struct Filters<'a> {
    /// WHERE in both forms.
    pub wheres: Vec<Where<'a>>,
    /// WHEREIN.
    pub where_ins: Vec<WhereIn<'a>>,
    /// WHEREEVAL and WHEREEVALSHA.
    pub scripts: Vec<ObjectTest<'a>>,
    /// The units of work for any object.
    work: usize,
}

impl<'a> Filters<'a> {
    /// Returns whether there are no filters.
    pub fn is_empty(&self) -> bool {
        self.wheres.is_empty() && self.where_ins.is_empty() && self.scripts.is_empty()
    }

    /// Returns the same filters with texts of their own: a fence outlives its request, and may
    /// outlive the data and with it the numbers of fields.
    pub fn into_owned(self, names: &Names) -> Filters<'static> {
        let where_ins = self.where_ins.into_iter();
        Filters {
            wheres: self.wheres.into_iter().map(|filter| filter.into_owned(names)).collect(),
            where_ins: where_ins.map(|filter| filter.into_owned(names)).collect(),
            scripts: self.scripts.into_iter().map(ObjectTest::into_owned).collect(),
            work: self.work,
        }
    }

    /// Returns whether the object passes all filters. Fails if a script does. `allowance` is the
    /// units of work that the scripts may do; those that they have done are subtracted.
    pub fn accept(
        &self,
        keyspace: &Keyspace,
        object: &Object,
        allowance: &mut u64,
    ) -> Result<bool> {
        let names = keyspace.names();
        if !self.wheres.iter().all(|filter| filter.accepts(keyspace, object))
            || !self.where_ins.iter().all(|filter| filter.accepts(names, object))
        {
            return Ok(false);
        }
        for script in &self.scripts {
            let properties = || super::scope::member(object, b"properties");
            if !script.accepts(names, object, properties, allowance)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns the maximum of units of work for filtering the object, besides visiting it.
    pub fn work(&self, object: &Object) -> u64 {
        if self.is_empty() {
            return 0;
        }
        let members = object.members().map_or(0, <[u8]>::len);
        let filters = self.wheres.len() + self.where_ins.len();
        (self.work + members * filters / MEMBER_BYTES_PER_WORK) as u64
    }

    /// Reads the arguments of a filter. `upper` is the option's name in capitals. Returns whether
    /// that is the name of a filter; if not, nothing is read.
    pub fn take(
        &mut self,
        upper: &[u8],
        words: &mut Words<'a>,
        keyspace: &Keyspace,
    ) -> Result<bool> {
        match upper {
            b"WHERE" => self.take_where(words, keyspace.names())?,
            b"WHEREIN" => self.take_where_in(words, keyspace.names())?,
            b"WHEREEVAL" | b"WHEREEVALSHA" => {
                self.take_script(words, &keyspace.scripts, upper == b"WHEREEVALSHA")?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Reads an expression, or `field min max`.
    fn take_where(&mut self, words: &mut Words<'a>, names: &Names) -> Result<()> {
        self.work += words.peek().map_or(0, <[u8]>::len) / EXPRESSION_BYTES_PER_WORK;
        self.wheres.push(Where::parse(words, names)?);
        Ok(())
    }

    /// Reads `field n v1 … vn`.
    fn take_where_in(&mut self, words: &mut Words<'a>, names: &Names) -> Result<()> {
        let field = words.next_filled()?;
        let count_word = words.next_word()?;
        let count = words.count_of(count_word)?;
        let values =
            (0..count).map(|_| words.next_word().map(Value::parse)).collect::<Result<Vec<_>>>()?;
        self.work += values.len() / VALUES_PER_WORK;
        self.where_ins.push(WhereIn { field: FieldReference::new(field, names), values });
        Ok(())
    }

    /// Reads `script n arg1 … argn`, or the script's SHA-1 in its place.
    fn take_script(
        &mut self,
        words: &mut Words<'a>,
        scripts: &ScriptCache,
        is_sha: bool,
    ) -> Result<()> {
        let text = words.next_filled()?;
        let count_word = words.next_filled()?;
        let count = words.count_of(count_word)?;
        let arguments = words.take_filled(count)?;
        let script = if is_sha {
            scripts.get(text).ok_or_else(|| Error::text("sha not found"))?
        } else {
            cached_script(scripts, text)?
        };
        self.scripts.push(ObjectTest::new(script, arguments));
        Ok(())
    }
}

/// The target of a filter's name, resolved once.
enum FieldReference<'a> {
    /// The GeoJSON member `properties` or a path within it, else a stored field.
    Properties(Cow<'a, [u8]>),
    /// The third ordinate.
    Z,
    /// A stored field of that number.
    Stored(u32),
    /// A name that no object had stored when the filter was made, or whose number may change.
    Named(Cow<'a, [u8]>),
    /// A path into a field of JSON.
    Path(Cow<'a, [u8]>),
}

/// The prefix of a path within the member `properties`.
const PROPERTIES: &[u8] = b"properties.";

impl<'a> FieldReference<'a> {
    fn new(name: &'a [u8], names: &Names) -> Self {
        match name {
            b"properties" => FieldReference::Properties(name.into()),
            b"z" => FieldReference::Z,
            _ if name.starts_with(PROPERTIES) => FieldReference::Properties(name.into()),
            _ if name.contains(&b'.') => FieldReference::Path(name.into()),
            _ => match names.serial(name) {
                Some(serial) => FieldReference::Stored(serial),
                None => FieldReference::Named(name.into()),
            },
        }
    }

    fn into_owned(self, names: &Names) -> FieldReference<'static> {
        let own = |name: Cow<[u8]>| Cow::Owned(name.into_owned());
        match self {
            FieldReference::Properties(name) => FieldReference::Properties(own(name)),
            FieldReference::Z => FieldReference::Z,
            FieldReference::Stored(serial) => {
                FieldReference::Named(Cow::Owned(names.name(serial).to_vec()))
            }
            FieldReference::Named(name) => FieldReference::Named(own(name)),
            FieldReference::Path(name) => FieldReference::Path(own(name)),
        }
    }

    /// Applies the test to the object's value, which is the number 0 if it has none.
    fn test(&self, names: &Names, object: &Object, test: impl Fn(&Value) -> bool) -> bool {
        let get = |serial| object.fields().get(serial);
        match self {
            FieldReference::Stored(serial) => test(&get(*serial).unwrap_or(Value::zero())),
            FieldReference::Named(name) => {
                let value = names.serial(name).and_then(get);
                test(&value.unwrap_or(Value::zero()))
            }
            FieldReference::Z => test(&Value::double(object.z())),
            FieldReference::Path(name) => {
                test(&read_field(names, get, name).unwrap_or(Value::zero()))
            }
            FieldReference::Properties(name) => {
                if let Some(raw) = find_property(object, name.strip_prefix(PROPERTIES)) {
                    return test(&Value::of_json(&raw));
                }
                test(&read_field(names, get, name).unwrap_or(Value::zero()))
            }
        }
    }
}

fn find_property(object: &Object, path: Option<&[u8]>) -> Option<Vec<u8>> {
    let properties = super::scope::member(object, b"properties")?;
    match path {
        None => Some(properties.to_vec()),
        Some(path) => path::get(properties, path).map(|found| found.raw.into_owned()),
    }
}

/// One WHERE.
pub struct Where<'a>(Form<'a>);

enum Form<'a> {
    Expression(Expression),
    Compare(FieldReference<'a>, Comparison, Value<'static>),
    Range(FieldReference<'a>, Limit, Limit),
}

#[derive(Clone, Copy)]
enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    Different,
}

struct Limit {
    value: Value<'static>,
    is_exclusive: bool,
}

impl<'a> Where<'a> {
    fn parse(words: &mut Words<'a>, names: &Names) -> Result<Self> {
        let first = words.next_word()?;
        if is_expression(words) {
            return Ok(Where(Form::Expression(Expression::compile(first))));
        }
        let (low, high) = (words.next_word()?, words.next_word()?);
        let (low, high) = (low.to_ascii_lowercase(), high.to_ascii_lowercase());
        let field = FieldReference::new(first, names);
        if let Some(comparison) = comparison(&low) {
            let operand = Value::parse(&high).into_owned();
            return Ok(Where(Form::Compare(field, comparison, operand)));
        }
        Ok(Where(Form::Range(field, Limit::parse(&low), Limit::parse(&high))))
    }

    fn into_owned(self, names: &Names) -> Where<'static> {
        Where(match self.0 {
            Form::Expression(expression) => Form::Expression(expression),
            Form::Compare(field, comparison, operand) => {
                Form::Compare(field.into_owned(names), comparison, operand)
            }
            Form::Range(field, low, high) => Form::Range(field.into_owned(names), low, high),
        })
    }

    fn accepts(&self, keyspace: &Keyspace, object: &Object) -> bool {
        let names = keyspace.names();
        match &self.0 {
            Form::Expression(expression) => expression.evaluate(&ObjectScope { names, object }),
            Form::Compare(field, comparison, operand) => {
                field.test(names, object, |value| comparison.holds(value, operand))
            }
            Form::Range(field, low, high) => {
                field.test(names, object, |value| low.is_below(value) && high.is_above(value))
            }
        }
    }
}

/// Returns whether WHERE is an expression: its first word is followed by nothing, by one empty
/// word, or by a word that isn't a number.
fn is_expression(words: &Words) -> bool {
    match words.peek() {
        None => true,
        Some(b"") => words.left() == 1,
        Some(second) => second[0].is_ascii_alphabetic() && !second.eq_ignore_ascii_case(b"inf"),
    }
}

fn comparison(word: &[u8]) -> Option<Comparison> {
    Some(match word {
        b"<" => Comparison::Less,
        b"<=" => Comparison::LessOrEqual,
        b">" => Comparison::Greater,
        b">=" => Comparison::GreaterOrEqual,
        b"==" => Comparison::Equal,
        b"!=" => Comparison::Different,
        _ => return None,
    })
}

impl Comparison {
    fn holds(self, value: &Value, operand: &Value) -> bool {
        match self {
            Comparison::Less => value.is_less(operand),
            Comparison::LessOrEqual => !operand.is_less(value),
            Comparison::Greater => operand.is_less(value),
            Comparison::GreaterOrEqual => !value.is_less(operand),
            Comparison::Equal => value.equals(operand),
            Comparison::Different => !value.equals(operand),
        }
    }
}

impl Limit {
    fn parse(word: &[u8]) -> Self {
        let (is_exclusive, text) = match word.strip_prefix(b"(") {
            Some(text) => (true, text),
            None => (false, word),
        };
        Limit { value: Value::parse(text).into_owned(), is_exclusive }
    }

    fn is_below(&self, value: &Value) -> bool {
        if self.is_exclusive {
            self.value.is_less(value)
        } else {
            !value.is_less(&self.value)
        }
    }

    fn is_above(&self, value: &Value) -> bool {
        if self.is_exclusive {
            value.is_less(&self.value)
        } else {
            !self.value.is_less(value)
        }
    }
}

/// One WHEREIN.
pub struct WhereIn<'a> {
    field: FieldReference<'a>,
    values: Vec<Value<'a>>,
}

impl WhereIn<'_> {
    fn into_owned(self, names: &Names) -> WhereIn<'static> {
        let values = self.values.into_iter().map(Value::into_owned).collect();
        WhereIn { field: self.field.into_owned(names), values }
    }

    fn accepts(&self, names: &Names, object: &Object) -> bool {
        self.field.test(names, object, |value| self.values.iter().any(|v| v.equals(value)))
    }
}
