//! What a command can fail with, in the words that clients parse.

/// A failed command.
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
    /// Any other text.
    Text(Vec<u8>),
    /// Not for clients: the read exceeded its budget and has to be run on a snapshot.
    OverBudget,
}

/// The result of a command or of a part of it.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// `invalid argument 'x'`
    pub fn invalid(argument: &[u8]) -> Self {
        Error::InvalidArgument(argument.to_vec())
    }

    /// `duplicate argument 'x'`
    pub fn duplicate(argument: &[u8]) -> Self {
        Error::DuplicateArgument(argument.to_vec())
    }

    /// Any text.
    pub fn text(text: impl Into<String>) -> Self {
        Error::Text(text.into().into_bytes())
    }

    /// The refusal above maxmemory.
    pub fn out_of_memory() -> Self {
        Error::text("OOM command not allowed when used memory > 'maxmemory'")
    }

    /// `unknown command 'x'`
    pub fn unknown_command(name: &[u8]) -> Self {
        Error::Text(quoted(b"unknown command '", name))
    }

    /// The text, without `ERR`; the arity error in its JSON form.
    pub fn message(&self) -> Vec<u8> {
        match self {
            Error::WrongArity => b"invalid number of arguments".to_vec(),
            Error::InvalidArgument(argument) => quoted(b"invalid argument '", argument),
            Error::DuplicateArgument(argument) => quoted(b"duplicate argument '", argument),
            Error::KeyNotFound => b"key not found".to_vec(),
            Error::IdNotFound => b"id not found".to_vec(),
            Error::Timeout | Error::OverBudget => b"timeout".to_vec(),
            Error::Text(text) => text.clone(),
        }
    }
}

fn quoted(head: &[u8], word: &[u8]) -> Vec<u8> {
    [head, word, b"'"].concat()
}
