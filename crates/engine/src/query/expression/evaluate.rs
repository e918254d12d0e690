//! Computes a compiled expression for one object. Every operand is evaluated, also one whose value
//! isn't needed: if it fails, the expression is false.

use std::borrow::Cow;

use super::lexer::Operator;
use super::operators::apply;
use super::pattern::PatternCache;
use super::tree::{Access, Chain, Choice, Link, Meaning, Name, Node, Step};
use super::value::Value;
use super::{FieldValue, Scope};
use crate::json::path;
use crate::json::path::glob::{matches_glob, Case};

/// An expression that can't be computed for this object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure;

/// The context of an evaluation: the searched object and the cached patterns.
pub struct Evaluator<'a> {
    pub scope: &'a dyn Scope,
    pub patterns: &'a PatternCache,
}

impl<'a> Evaluator<'a> {
    pub fn value(&self, node: &'a Node) -> Result<Value<'a>, Failure> {
        match node {
            Node::Literal(literal) => Ok(Value::from(literal)),
            Node::This => Ok(Value::This),
            Node::Name(name) => self.name(name),
            Node::Chain(chain) => self.chain(chain),
            Node::Access(access) => self.access(access),
            Node::Not(operand) => Ok(Value::Bool(!self.value(operand)?.truth())),
            Node::Sign { is_negative, operand } => {
                Ok(super::operators::sign(&self.value(operand)?, *is_negative))
            }
            Node::Choice(choice) => self.choice(choice),
            Node::Array(nodes) => Ok(Value::Array(self.values(nodes)?)),
            Node::Sequence(nodes) => self.values(nodes)?.pop().ok_or(Failure),
        }
    }

    fn values(&self, nodes: &'a [Node]) -> Result<Vec<Value<'a>>, Failure> {
        nodes.iter().map(|node| self.value(node)).collect()
    }

    fn choice(&self, choice: &'a Choice) -> Result<Value<'a>, Failure> {
        let mut chosen = None;
        for (condition, value) in &choice.branches {
            let is_true = self.value(condition)?.truth();
            let value = self.value(value)?;
            if is_true && chosen.is_none() {
                chosen = Some(value);
            }
        }
        let otherwise = self.value(&choice.otherwise)?;
        Ok(chosen.unwrap_or(otherwise))
    }

    fn chain(&self, chain: &'a Chain) -> Result<Value<'a>, Failure> {
        let mut left = self.value(&chain.first)?;
        for link in &chain.rest {
            if link.is_rest_skippable && !left.is_object() {
                match link.operator {
                    Operator::And if !left.truth() => return Ok(Value::Bool(false)),
                    Operator::Or if left.truth() => return Ok(Value::Bool(true)),
                    _ => {}
                }
            }
            let right = self.value(&link.operand)?;
            left = if link.operator == Operator::Matches {
                self.matches(link, &left, &right)?
            } else {
                apply(link.operator, left, right)
            };
        }
        Ok(left)
    }

    fn matches(
        &self,
        link: &Link,
        left: &Value<'a>,
        right: &Value<'a>,
    ) -> Result<Value<'a>, Failure> {
        let text = left.text();
        let is_found = match &link.pattern {
            Some(pattern) => pattern.is_found(&text),
            None => self.patterns.is_found(&right.text(), &text).ok_or(Failure)?,
        };
        Ok(Value::Bool(is_found))
    }

    /// Evaluates a name without a member access; fails if it is undefined.
    fn name(&self, name: &Name) -> Result<Value<'a>, Failure> {
        match self.resolve(&name.text, name.meaning) {
            Value::Undefined => Err(Failure),
            value => Ok(value),
        }
    }

    fn resolve(&self, name: &[u8], meaning: Meaning) -> Value<'a> {
        if let Some(raw) = self.scope.member(name) {
            return Value::from_json(raw);
        }
        match meaning {
            Meaning::Id => Value::Text(Cow::Borrowed(self.scope.id())),
            Meaning::Type => match self.scope.type_name() {
                Some(name) => Value::Text(Cow::Borrowed(name.as_bytes())),
                None => Value::Undefined,
            },
            // The value of an absent field is 0.
            Meaning::Field => self.scope.field(name).map_or(Value::Float(0.0), Value::from),
        }
    }

    fn access(&self, access: &'a Access) -> Result<Value<'a>, Failure> {
        let mut value = self.value(&access.base)?;
        for step in &access.steps {
            value = match step {
                Step::Member { name, is_optional } => match value {
                    Value::Undefined if *is_optional => Value::Undefined,
                    value => self.member(value, name)?,
                },
                Step::Index(index) => {
                    let index = self.value(index)?;
                    self.member(value, &index.text())?
                }
                Step::Call(arguments) => {
                    let arguments = self.values(arguments)?;
                    let Value::Function(text) = value else { return Err(Failure) };
                    let pattern = arguments.first().unwrap_or(&Value::Undefined).text();
                    Value::Bool(matches_glob(&text, &pattern, Case::Folded))
                }
            };
        }
        Ok(value)
    }

    fn member(&self, value: Value<'a>, name: &[u8]) -> Result<Value<'a>, Failure> {
        match value {
            Value::Undefined => Err(Failure),
            Value::This => Ok(self.resolve(name, Name::meaning_of(name))),
            Value::Json(Cow::Borrowed(raw)) => Ok(from_found(path::get(raw, name))),
            Value::Json(Cow::Owned(raw)) => Ok(match path::get(&raw, name) {
                Some(found) => Value::from_json(Cow::Owned(found.raw.into_owned())),
                None => Value::Undefined,
            }),
            value if name == b"match" => Ok(Value::Function(value.into_text())),
            _ => Ok(Value::Undefined),
        }
    }
}

fn from_found(found: Option<path::Found<'_>>) -> Value<'_> {
    found.map_or(Value::Undefined, |found| Value::from_json(found.raw))
}

impl<'a> From<FieldValue<'a>> for Value<'a> {
    fn from(field: FieldValue<'a>) -> Self {
        match field {
            FieldValue::Null => Value::Null,
            FieldValue::Bool(value) => Value::Bool(value),
            FieldValue::Number(value) if value.is_finite() => Value::Float(value),
            // In Tile38, fields that aren't finite are strings in expressions.
            FieldValue::Number(value) => Value::Text(Cow::Borrowed(if value.is_nan() {
                b"NaN"
            } else if value > 0.0 {
                b"+Inf"
            } else {
                b"-Inf"
            })),
            FieldValue::Integer(text) => Value::Digits(Cow::Borrowed(text)),
            FieldValue::Text(content) => Value::Text(Cow::Borrowed(content)),
            FieldValue::Json(raw) => Value::from_json(Cow::Borrowed(raw)),
        }
    }
}
