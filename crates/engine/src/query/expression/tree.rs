//! The compiled form of an expression, and the static analysis of its nodes.

use super::lexer::Operator;
use super::pattern::Pattern;
use super::value::Literal;

/// A node of an expression.
#[derive(Debug)]
pub enum Node {
    Literal(Literal),
    /// The object itself.
    This,
    /// A name to be looked up in the object.
    Name(Name),
    Array(Box<[Node]>),
    /// `a, b`: all are evaluated, the last counts.
    Sequence(Box<[Node]>),
    /// `a ? b : c ? d : e`.
    Choice(Box<Choice>),
    Not(Box<Node>),
    /// Unary `+` or `-`.
    Sign {
        is_negative: bool,
        operand: Box<Node>,
    },
    /// Operators of one level, from left to right.
    Chain(Box<Chain>),
    /// A value with its member accesses and calls.
    Access(Box<Access>),
}

/// A name with its meaning, unless a foreign member has it.
#[derive(Debug)]
pub struct Name {
    pub text: Box<[u8]>,
    pub meaning: Meaning,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    Id,
    Type,
    Field,
}

#[derive(Debug)]
pub struct Choice {
    /// Conditions with their values, in order.
    pub branches: Vec<(Node, Node)>,
    pub otherwise: Node,
}

#[derive(Debug)]
pub struct Chain {
    pub first: Node,
    pub rest: Vec<Link>,
}

#[derive(Debug)]
pub struct Link {
    pub operator: Operator,
    pub operand: Node,
    /// The pattern of `=~`, compiled ahead if the operand is a literal.
    pub pattern: Option<Pattern>,
    /// No later operand of this chain, this one included, can fail or be an object. Then they
    /// needn't be evaluated once the result is certain.
    pub is_rest_skippable: bool,
}

#[derive(Debug)]
pub struct Access {
    pub base: Node,
    pub steps: Vec<Step>,
}

#[derive(Debug)]
pub enum Step {
    Member { name: Box<[u8]>, is_optional: bool },
    Index(Node),
    Call(Vec<Node>),
}

impl Name {
    pub fn new(text: &[u8]) -> Self {
        Self { text: text.into(), meaning: Self::meaning_of(text) }
    }

    pub fn meaning_of(text: &[u8]) -> Meaning {
        match text {
            b"id" => Meaning::Id,
            b"type" => Meaning::Type,
            _ => Meaning::Field,
        }
    }
}

impl Node {
    /// Returns whether evaluating the node can neither fail nor return an object, for any searched
    /// object.
    pub fn is_skippable(&self) -> bool {
        match self {
            Node::Literal(_) => true,
            Node::Not(operand) | Node::Sign { operand, .. } => operand.is_infallible(),
            Node::Chain(chain) => {
                let gives_operand = |link: &Link| link.operator == Operator::Coalesce;
                !chain.rest.iter().any(gives_operand) && self.is_infallible()
            }
            _ => false,
        }
    }

    fn is_infallible(&self) -> bool {
        match self {
            Node::Literal(_) | Node::This => true,
            // Strings have no type, and an undefined name is an error.
            Node::Name(name) => name.meaning != Meaning::Type,
            Node::Not(operand) | Node::Sign { operand, .. } => operand.is_infallible(),
            Node::Array(nodes) | Node::Sequence(nodes) => nodes.iter().all(Node::is_infallible),
            Node::Choice(choice) => {
                let is_safe = |(a, b): &(Node, Node)| a.is_infallible() && b.is_infallible();
                choice.branches.iter().all(is_safe) && choice.otherwise.is_infallible()
            }
            Node::Chain(chain) => {
                let is_safe = |link: &Link| {
                    let may_fail = link.operator == Operator::Matches && link.pattern.is_none();
                    !may_fail && link.operand.is_infallible()
                };
                chain.first.is_infallible() && chain.rest.iter().all(is_safe)
            }
            // Only member accesses of undefined values fail; this name is defined.
            Node::Access(access) => {
                let is_defined = match &access.base {
                    Node::Name(name) => name.meaning != Meaning::Type,
                    Node::This => true,
                    Node::Literal(literal) => *literal != Literal::Undefined,
                    _ => false,
                };
                is_defined && matches!(access.steps[..], [Step::Member { .. }])
            }
        }
    }
}
