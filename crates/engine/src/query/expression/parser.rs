//! The parser: builds a tree from tokens. Knows precedence and where a prefix may stand; evaluates
//! nothing.

use super::lexer::{Lexer, Operator, SyntaxError, Token};
use super::pattern::Pattern;
use super::tree::{Access, Chain, Choice, Link, Name, Node, Step};
use super::value::Literal;

/// Maximum depth of nested brackets and conditionals; deeper expressions are errors.
const NESTING_MAX: usize = 100;

/// The levels of operators, those that bind loosest first.
const LEVELS: [&[Operator]; 9] = [
    &[Operator::Or, Operator::Coalesce],
    &[Operator::And],
    &[Operator::BitOr],
    &[Operator::BitXor],
    &[Operator::BitAnd],
    &[
        Operator::Equal,
        Operator::NotEqual,
        Operator::StrictEqual,
        Operator::StrictNotEqual,
        Operator::Matches,
    ],
    &[Operator::Less, Operator::LessEqual, Operator::Greater, Operator::GreaterEqual],
    &[Operator::Add, Operator::Subtract],
    &[Operator::Multiply, Operator::Divide, Operator::Modulo],
];
const EQUALITY_LEVEL: usize = 5;
const ADDITIVE_LEVEL: usize = 7;

/// Words that Tile38 reserves.
const RESERVED: [&[u8]; 7] = [b"new", b"typeof", b"void", b"await", b"in", b"instanceof", b"yield"];

/// Parses a whole expression.
pub fn parse(text: &[u8]) -> Result<Node, SyntaxError> {
    let mut parser = Parser { lexer: Lexer::new(text), token: Token::End, nesting: 0 };
    parser.advance()?;
    let node = parser.sequence()?;
    parser.expect(&Token::End)?;
    Ok(node)
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    token: Token<'t>,
    nesting: usize,
}

impl<'t> Parser<'t> {
    fn advance(&mut self) -> Result<Token<'t>, SyntaxError> {
        let next = self.lexer.next_token()?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    /// Skips the token if it is the current one; returns whether it was.
    fn accept(&mut self, token: &Token) -> Result<bool, SyntaxError> {
        let is_there = self.token == *token;
        if is_there && self.token != Token::End {
            self.advance()?;
        }
        Ok(is_there)
    }

    fn expect(&mut self, token: &Token) -> Result<(), SyntaxError> {
        if self.accept(token)? {
            Ok(())
        } else {
            Err(SyntaxError)
        }
    }

    /// Parses an expression with commas, as it may stand in brackets.
    fn sequence(&mut self) -> Result<Node, SyntaxError> {
        let mut nodes = self.list()?;
        match nodes.len() {
            1 => nodes.pop().ok_or(SyntaxError),
            _ => Ok(Node::Sequence(nodes.into())),
        }
    }

    fn list(&mut self) -> Result<Vec<Node>, SyntaxError> {
        if self.nesting == NESTING_MAX {
            return Err(SyntaxError);
        }
        self.nesting += 1;
        let mut nodes = vec![self.choice()?];
        while self.accept(&Token::Comma)? {
            nodes.push(self.choice()?);
        }
        self.nesting -= 1;
        Ok(nodes)
    }

    /// Parses a list, which may be empty, up to its closing bracket.
    fn closed_list(&mut self, closing: &Token) -> Result<Vec<Node>, SyntaxError> {
        if self.accept(closing)? {
            return Ok(Vec::new());
        }
        let nodes = self.list()?;
        self.expect(closing)?;
        Ok(nodes)
    }

    fn choice(&mut self) -> Result<Node, SyntaxError> {
        let mut branches = Vec::new();
        loop {
            let node = self.level(0)?;
            if !self.accept(&Token::Question)? {
                return Ok(if branches.is_empty() {
                    node
                } else {
                    Node::Choice(Box::new(Choice { branches, otherwise: node }))
                });
            }
            if self.nesting == NESTING_MAX {
                return Err(SyntaxError);
            }
            self.nesting += 1;
            let value = self.choice()?;
            self.nesting -= 1;
            self.expect(&Token::Colon)?;
            branches.push((node, value));
        }
    }

    fn level(&mut self, level: usize) -> Result<Node, SyntaxError> {
        let Some(operators) = LEVELS.get(level) else { return self.atom() };
        let first = self.operand(level)?;
        let mut rest: Vec<Link> = Vec::new();
        while let Token::Operator(operator) = self.token {
            if !operators.contains(&operator) {
                break;
            }
            self.advance()?;
            let operand = self.operand(level)?;
            let pattern = match (&operand, operator) {
                (Node::Literal(Literal::Text(text)), Operator::Matches) => {
                    Some(Pattern::compile(text).ok_or(SyntaxError)?)
                }
                _ => None,
            };
            rest.push(Link { operator, operand, pattern, is_rest_skippable: false });
        }
        if rest.is_empty() {
            return Ok(first);
        }
        let mut is_skippable = true;
        for link in rest.iter_mut().rev() {
            is_skippable &= link.operand.is_skippable() && link.operator != Operator::Coalesce;
            link.is_rest_skippable = is_skippable;
        }
        Ok(Node::Chain(Box::new(Chain { first, rest })))
    }

    /// Parses an operand of a level, with the prefixes that only this level allows.
    fn operand(&mut self, level: usize) -> Result<Node, SyntaxError> {
        match level {
            EQUALITY_LEVEL => {
                let mut count = 0_usize;
                while self.accept(&Token::Not)? {
                    count += 1;
                }
                let mut node = self.level(level + 1)?;
                // Three prefixes have the effect of one, four that of two.
                for _ in 0..(if count == 0 { 0 } else { 2 - count % 2 }) {
                    node = Node::Not(Box::new(node));
                }
                Ok(node)
            }
            ADDITIVE_LEVEL => self.signed(),
            _ => self.level(level + 1),
        }
    }

    fn signed(&mut self) -> Result<Node, SyntaxError> {
        let mut sign = None;
        loop {
            let is_negative = match self.token {
                Token::Operator(Operator::Add) => false,
                Token::Operator(Operator::Subtract) => true,
                _ => break,
            };
            // At the beginning of an operand, no operator detects a doubled sign.
            if self.lexer.is_doubled_sign() {
                return Err(SyntaxError);
            }
            sign = Some(sign.unwrap_or(false) ^ is_negative);
            self.advance()?;
        }
        let operand = self.level(ADDITIVE_LEVEL + 1)?;
        Ok(match sign {
            Some(is_negative) => Node::Sign { is_negative, operand: Box::new(operand) },
            None => operand,
        })
    }

    fn atom(&mut self) -> Result<Node, SyntaxError> {
        let base = match self.advance()? {
            Token::Literal(literal) => Node::Literal(literal),
            Token::Name(name) => named(name)?,
            Token::Open => {
                let node = self.sequence()?;
                self.expect(&Token::Close)?;
                node
            }
            Token::OpenBracket => Node::Array(self.closed_list(&Token::CloseBracket)?.into()),
            _ => return Err(SyntaxError),
        };
        let mut steps = Vec::new();
        while let Some(step) = self.step()? {
            steps.push(step);
        }
        Ok(if steps.is_empty() { base } else { Node::Access(Box::new(Access { base, steps })) })
    }

    fn step(&mut self) -> Result<Option<Step>, SyntaxError> {
        let step = match self.token {
            Token::Dot | Token::OptionalDot => {
                let is_optional = self.advance()? == Token::OptionalDot;
                let Token::Name(name) = self.advance()? else { return Err(SyntaxError) };
                Step::Member { name: name.into(), is_optional }
            }
            Token::OpenBracket => {
                self.advance()?;
                let index = self.sequence()?;
                self.expect(&Token::CloseBracket)?;
                Step::Index(index)
            }
            Token::Open => {
                self.advance()?;
                Step::Call(self.closed_list(&Token::Close)?)
            }
            _ => return Ok(None),
        };
        Ok(Some(step))
    }
}

fn named(name: &[u8]) -> Result<Node, SyntaxError> {
    let literal = match name {
        b"true" => Literal::Bool(true),
        b"false" => Literal::Bool(false),
        b"null" => Literal::Null,
        b"undefined" => Literal::Undefined,
        b"NaN" => Literal::Float(f64::NAN),
        b"Infinity" => Literal::Float(f64::INFINITY),
        b"this" => return Ok(Node::This),
        _ if RESERVED.contains(&name) => return Err(SyntaxError),
        _ => return Ok(Node::Name(Name::new(name))),
    };
    Ok(Node::Literal(literal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_stand_only_at_their_levels() {
        for text in ["!1 + 1", "!!a", "a == !b", "2 - -2", "2 * (-3)", "-x == -10", "a < -1"] {
            assert!(parse(text.as_bytes()).is_ok(), "{text}");
        }
        for text in ["1 + !0", "2 * -3", "2 --2", "--2", "a < !b", "-!a", "++a", "!"] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_expression() {
        for text in [
            "",
            " ",
            "a b",
            "1 2",
            "a = b",
            "a =< b",
            "a <> b",
            "a << b",
            "~a",
            "a;",
            "a and b",
            "{}",
            "(a",
            "a)",
            "[1",
            "(a]",
            "a &&",
            "&& a",
            "a ? b",
            "a : b",
            "a ? b, c : d",
            "1,",
            "f(,)",
            "a.",
            "a.5",
            "a..b",
            "a[]",
            "()",
            "new",
            "typeof a",
            "x in y",
            "a =~ \"(\"",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| ["(".repeat(depth), "1".into(), ")".repeat(depth)].concat();
        assert!(parse(nested(50).as_bytes()).is_ok());
        assert!(parse(nested(100_000).as_bytes()).is_err());
        assert!(parse("!".repeat(100_000).as_bytes()).is_err());
        assert!(parse(format!("{}1", "!".repeat(100_000)).as_bytes()).is_ok());
        assert!(parse(format!("{}1", "- ".repeat(100_000)).as_bytes()).is_ok());
        assert!(parse("1?".repeat(100_000).as_bytes()).is_err());
        assert!(parse(format!("{}1", "1?2:".repeat(100_000)).as_bytes()).is_ok());
        assert!(parse(format!("a{}", ".b".repeat(100_000)).as_bytes()).is_ok());
    }
}
