//! The compiled form of an expression, and what can be known of a part before it is evaluated.

use super::lexer::Operator;
use super::pattern::Pattern;
use super::value::Literal;

/// One part of an expression.
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
    /// Unary `+` and `-`.
    Sign {
        is_negative: bool,
        operand: Box<Node>,
    },
    /// Operators of one level, from left to right.
    Chain(Box<Chain>),
    /// A value and what is taken from it.
    Access(Box<Access>),
}

/// A name and what it means when no foreign member has it.
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
    /// No later operand of this chain, this one included, can fail or be an object. Then leaving
    /// them out, once the result is certain, can't be noticed.
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
    /// Whether evaluating the node can neither fail nor give an object, whatever is searched.
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
            // Strings have no type, and what is undefined is an error.
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
            // Only members of undefined values fail; that a name isn't one is known.
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
