//! The lexer: splits the text of an expression into tokens. Knows no precedence.

use super::literal::{parse_number, parse_string};
use super::value::Literal;

/// The error of a text that isn't an expression. It has no details, since clients aren't told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyntaxError;

/// An operator with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Or,
    Coalesce,
    And,
    BitOr,
    BitXor,
    BitAnd,
    Equal,
    NotEqual,
    StrictEqual,
    StrictNotEqual,
    Matches,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Token<'t> {
    Literal(Literal),
    Name(&'t [u8]),
    Operator(Operator),
    Not,
    Question,
    Colon,
    Comma,
    Dot,
    OptionalDot,
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    End,
}

/// The lexer of one text.
pub struct Lexer<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Lexer<'t> {
    pub fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// Returns the next token; always `End` at the end of the text.
    pub fn next_token(&mut self) -> Result<Token<'t>, SyntaxError> {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        let rest = &self.text[self.at..];
        let Some(first) = rest.first() else { return Ok(Token::End) };
        match first {
            b'"' | b'\'' => {
                let (content, length) = parse_string(rest).ok_or(SyntaxError)?;
                self.at += length;
                Ok(Token::Literal(Literal::Text(content.into())))
            }
            b'0'..=b'9' => self.number(),
            b'.' if rest.get(1).is_some_and(u8::is_ascii_digit) => self.number(),
            byte if is_name_start(*byte) => self.name(),
            _ => self.symbol(),
        }
    }

    /// Returns whether the byte before the current token is the same sign: `--` and `++` are
    /// errors.
    pub fn is_doubled_sign(&self) -> bool {
        self.at >= 2 && self.text[self.at - 1] == self.text[self.at - 2]
    }

    fn number(&mut self) -> Result<Token<'t>, SyntaxError> {
        let rest = &self.text[self.at..];
        let mut length = 1;
        while let Some(byte) = rest.get(length) {
            let is_exponent_sign = matches!(byte, b'+' | b'-') && rest[length - 1] | 32 == b'e';
            if !(is_name_part(*byte) || *byte == b'.' || is_exponent_sign) {
                break;
            }
            length += 1;
        }
        self.at += length;
        parse_number(&rest[..length]).map(Token::Literal).ok_or(SyntaxError)
    }

    fn name(&mut self) -> Result<Token<'t>, SyntaxError> {
        let rest = &self.text[self.at..];
        let length = rest.iter().take_while(|byte| is_name_part(**byte)).count();
        self.at += length;
        // Tile38 treats any sign directly after an e as an exponent's, so `age-1` is an error.
        let is_sign_next = matches!(rest.get(length), Some(b'+' | b'-'));
        if is_sign_next && rest[length - 1] | 32 == b'e' {
            return Err(SyntaxError);
        }
        Ok(Token::Name(&rest[..length]))
    }

    fn symbol(&mut self) -> Result<Token<'t>, SyntaxError> {
        let rest = &self.text[self.at..];
        let byte = |index: usize| rest.get(index).copied().unwrap_or(0);
        let (token, length) = match (byte(0), byte(1), byte(2)) {
            (b'=', b'=', b'=') => (Token::Operator(Operator::StrictEqual), 3),
            (b'!', b'=', b'=') => (Token::Operator(Operator::StrictNotEqual), 3),
            (b'=', b'=', _) => (Token::Operator(Operator::Equal), 2),
            (b'!', b'=', _) => (Token::Operator(Operator::NotEqual), 2),
            (b'=', b'~', _) => (Token::Operator(Operator::Matches), 2),
            (b'<', b'=', _) => (Token::Operator(Operator::LessEqual), 2),
            (b'>', b'=', _) => (Token::Operator(Operator::GreaterEqual), 2),
            (b'|', b'|', _) => (Token::Operator(Operator::Or), 2),
            (b'?', b'?', _) => (Token::Operator(Operator::Coalesce), 2),
            (b'&', b'&', _) => (Token::Operator(Operator::And), 2),
            (b'?', b'.', _) => (Token::OptionalDot, 2),
            (single, ..) => (single_symbol(single)?, 1),
        };
        self.at += length;
        Ok(token)
    }
}

fn single_symbol(byte: u8) -> Result<Token<'static>, SyntaxError> {
    Ok(match byte {
        b'|' => Token::Operator(Operator::BitOr),
        b'^' => Token::Operator(Operator::BitXor),
        b'&' => Token::Operator(Operator::BitAnd),
        b'<' => Token::Operator(Operator::Less),
        b'>' => Token::Operator(Operator::Greater),
        b'+' => Token::Operator(Operator::Add),
        b'-' => Token::Operator(Operator::Subtract),
        b'*' => Token::Operator(Operator::Multiply),
        b'/' => Token::Operator(Operator::Divide),
        b'%' => Token::Operator(Operator::Modulo),
        b'!' => Token::Not,
        b'?' => Token::Question,
        b':' => Token::Colon,
        b',' => Token::Comma,
        b'.' => Token::Dot,
        b'(' => Token::Open,
        b')' => Token::Close,
        b'[' => Token::OpenBracket,
        b']' => Token::CloseBracket,
        _ => return Err(SyntaxError),
    })
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$')
}

fn is_name_part(byte: u8) -> bool {
    is_name_start(byte) || byte.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Result<Vec<Token<'_>>, SyntaxError> {
        let mut lexer = Lexer::new(text.as_bytes());
        let mut found = Vec::new();
        loop {
            match lexer.next_token()? {
                Token::End => return Ok(found),
                token => found.push(token),
            }
        }
    }

    #[test]
    fn the_longest_operator_wins() {
        let found = tokens("!==!=!").unwrap();
        let expected = [
            Token::Operator(Operator::StrictNotEqual),
            Token::Operator(Operator::NotEqual),
            Token::Not,
        ];
        assert_eq!(found, expected);
        assert_eq!(tokens("a?.b??c").unwrap().len(), 5);
    }

    #[test]
    fn a_sign_after_an_e_belongs_to_a_number() {
        assert_eq!(tokens("1e-1").unwrap(), [Token::Literal(Literal::Float(0.1))]);
        for text in ["age-1", "age+1", "0xe-1", "1e-"] {
            assert_eq!(tokens(text), Err(SyntaxError), "{text}");
        }
        assert_eq!(tokens("age - 1").unwrap().len(), 3);
        assert_eq!(tokens("y-1").unwrap().len(), 3);
    }

    #[test]
    fn foreign_characters_are_errors() {
        for text in ["=", "~", ";", "{}", "#", "é", "a = b", "\0"] {
            assert_eq!(tokens(text), Err(SyntaxError), "{text}");
        }
    }
}
