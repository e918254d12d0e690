//! The errors of commands, with the texts that clients parse.

use crate::access::Denial;

/// Why a command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// Too few or too many arguments; RESP names the command.
    WrongArity,
    /// `invalid argument 'x'`
    InvalidArgument(Vec<u8>),
    /// `duplicate argument 'X'`
    DuplicateArgument(Vec<u8>),
    /// `key not found`
    KeyNotFound,
    /// `id not found`
    IdNotFound,
    /// `timeout`
    Timeout,
    /// An error with any other text.
    Text(Vec<u8>),
    /// The user lacks a right.
    Denied(Denial),
    /// The read exceeded its budget of work. Clients never see this: the read is run again on a
    /// snapshot.
    OverBudget,
}

/// The result of a command or of a part of it.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Returns `invalid argument 'x'`.
    pub fn invalid(argument: &[u8]) -> Self {
        Error::InvalidArgument(argument.to_vec())
    }

    /// Returns `duplicate argument 'x'`.
    pub fn duplicate(argument: &[u8]) -> Self {
        Error::DuplicateArgument(argument.to_vec())
    }

    /// Returns an error with this text.
    pub fn text(text: impl Into<String>) -> Self {
        Error::Text(text.into().into_bytes())
    }

    /// Returns the error of a command that can't stand behind the prefix TIMEOUT.
    pub fn timeout_not_supported(name: &[u8]) -> Self {
        Error::Text(quoted(b"timeout not supported for '", &name.to_ascii_lowercase()))
    }

    /// Returns the error of writes that are refused above maxmemory.
    pub fn out_of_memory() -> Self {
        Error::text("OOM command not allowed when used memory > 'maxmemory'")
    }

    /// Returns `unknown command 'x'`.
    pub fn unknown_command(name: &[u8]) -> Self {
        Error::Text(quoted(b"unknown command '", name))
    }

    /// Returns the text as JSON replies have it. In RESP, `ERR` stands before it, and the arity
    /// error names the command.
    pub fn message(&self) -> Vec<u8> {
        match self {
            Error::WrongArity => b"invalid number of arguments".to_vec(),
            Error::InvalidArgument(argument) => quoted(b"invalid argument '", argument),
            Error::DuplicateArgument(argument) => quoted(b"duplicate argument '", argument),
            Error::KeyNotFound => b"key not found".to_vec(),
            Error::IdNotFound => b"id not found".to_vec(),
            Error::Timeout | Error::OverBudget => b"timeout".to_vec(),
            Error::Text(text) => text.clone(),
            Error::Denied(denial) => denial.message(),
        }
    }
}

fn quoted(head: &[u8], word: &[u8]) -> Vec<u8> {
    [head, word, b"'"].concat()
}
