//! The expression language of WHERE: compiled once, evaluated for each object.
//!
//! Tile38 splits the text anew for each object; the tree built here gives the same results. A bad
//! expression isn't reported, it is false for every object.

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

/// Longer expressions are false: their trees would take hundreds of times their length.
pub const EXPRESSION_BYTES_MAX: usize = 1 << 20;

/// The object an expression is evaluated for.
pub trait Scope {
    /// The JSON text of a member of the GeoJSON that isn't part of its geometry: `properties`,
    /// `id`, `bbox` or any foreign one. Such a member wins over everything else of its name.
    fn member(&self, name: &[u8]) -> Option<Cow<'_, [u8]>>;

    /// The object's id.
    fn id(&self) -> &[u8];

    /// The object's GeoJSON type; `None` for strings.
    fn type_name(&self) -> Option<&'static str>;

    /// The stored field of that name.
    fn field(&self, name: &[u8]) -> Option<FieldValue<'_>>;
}

/// A stored field as expressions see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FieldValue<'a> {
    /// The word `null`.
    Null,
    /// The words `true` and `false`.
    Bool(bool),
    /// A number; NaN and infinities are read as strings.
    Number(f64),
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
    /// Compiles an expression. A bad one compiles too, and is always false.
    pub fn compile(text: &[u8]) -> Self {
        let is_long = text.len() > EXPRESSION_BYTES_MAX;
        let tree = if is_long { None } else { parser::parse(text).ok() };
        Self { tree, patterns: PatternCache::default() }
    }

    /// Whether the expression is true for the object. One that can't be computed is false.
    pub fn evaluate(&self, scope: &dyn Scope) -> bool {
        let Some(tree) = &self.tree else { return false };
        let evaluator = Evaluator { scope, patterns: &self.patterns };
        evaluator.value(tree).is_ok_and(|value| value.truth())
    }
}

#[cfg(test)]
mod tests;
