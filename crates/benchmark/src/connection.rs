//! A connection to the server: opened and logged in with waits, then used without any.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use mio::event::Source;
use mio::{Interest, Registry, Token};

use crate::failure::Failure;
use crate::options::Options;
use crate::replies::Replies;
use crate::requests::Requests;

const CONNECT_SECONDS_MAX: u64 = 10;
const LOGIN_SECONDS_MAX: u64 = 10;
const LOGIN_BYTES: usize = 4096;

/// A connection with one batch of requests under way.
pub struct Connection {
    stream: Stream,
    /// The batch, of which `sent` bytes are sent.
    pub requests: Requests,
    sent: usize,
    /// The time at which the batch began.
    pub began: Instant,
    /// The replies so far.
    pub replies: Replies,
    /// The number of replies at the end of the batch.
    pub replies_due: u64,
}

enum Stream {
    Tcp(mio::net::TcpStream),
    Unix(mio::net::UnixStream),
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

impl Connection {
    /// Connects and logs in.
    pub fn open(options: &Options) -> Result<Self, Failure> {
        let failed = |error| Failure::Connect { address: options.address(), error };
        let stream = if let Some(path) = &options.socket {
            let mut stream = UnixStream::connect(path).map_err(failed)?;
            let deadline = Some(Duration::from_secs(LOGIN_SECONDS_MAX));
            stream.set_read_timeout(deadline).map_err(failed)?;
            log_in(options, &mut stream)?;
            stream.set_nonblocking(true).map_err(failed)?;
            Stream::Unix(mio::net::UnixStream::from_std(stream))
        } else {
            let mut stream = connect(&options.host, options.port).map_err(failed)?;
            let deadline = Some(Duration::from_secs(LOGIN_SECONDS_MAX));
            stream.set_read_timeout(deadline).map_err(failed)?;
            stream.set_nodelay(true).map_err(failed)?;
            log_in(options, &mut stream)?;
            stream.set_nonblocking(true).map_err(failed)?;
            Stream::Tcp(mio::net::TcpStream::from_std(stream))
        };
        Ok(Self {
            stream,
            requests: Requests::default(),
            sent: 0,
            began: Instant::now(),
            replies: Replies::default(),
            replies_due: 0,
        })
    }

    /// Has a poll watch the connection.
    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.stream.source().register(registry, token, interest)
    }

    /// Begins a batch of so many requests, which `requests` holds.
    pub fn begin(&mut self, count: u64, now: Instant) {
        self.sent = 0;
        self.began = now;
        self.replies_due += count;
    }

    /// Sends as much of the batch as the socket takes.
    pub fn send(&mut self) -> io::Result<()> {
        while self.sent < self.requests.bytes().len() {
            match self.stream.bytes().write(&self.requests.bytes()[self.sent..]) {
                Ok(size) => self.sent += size,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads replies once. Returns false when the socket has none now.
    pub fn receive(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        match self.stream.bytes().read(buffer) {
            Ok(0) => Err(closed()),
            Ok(size) => {
                self.replies.feed(&buffer[..size])?;
                if self.replies.count > self.replies_due {
                    return Err(io::Error::new(
                        ErrorKind::InvalidData,
                        "more replies than requests",
                    ));
                }
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Returns whether all replies of the batch are here.
    pub fn is_done(&self) -> bool {
        self.replies.count == self.replies_due
    }
}

impl Stream {
    fn bytes(&mut self) -> &mut dyn ReadWrite {
        match self {
            Self::Tcp(stream) => stream,
            Self::Unix(stream) => stream,
        }
    }

    fn source(&mut self) -> &mut dyn Source {
        match self {
            Self::Tcp(stream) => stream,
            Self::Unix(stream) => stream,
        }
    }
}

fn closed() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the server closed the connection")
}

fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut failure = io::Error::new(ErrorKind::NotFound, "no such host");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, Duration::from_secs(CONNECT_SECONDS_MAX)) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// Sends AUTH and OUTPUT as the options say, and a command that finds a missing password.
fn log_in(options: &Options, stream: &mut impl ReadWrite) -> Result<(), Failure> {
    let mut requests = Requests::default();
    let mut count = 0;
    if let Some(password) = &options.password {
        match &options.user {
            Some(user) => requests.command(&["AUTH", user, password]),
            None => requests.command(&["AUTH", password]),
        }
        count += 1;
    }
    if options.wants_json {
        requests.command(&["OUTPUT", "json"]);
        count += 1;
    }
    let failed = |error| Failure::Connect { address: options.address(), error };
    if let Some(text) = call(stream, &requests, count).map_err(failed)?.first_error {
        return Err(refused(text));
    }
    requests.clear();
    requests.command(&["TYPE", "key:bench"]);
    match call(stream, &requests, 1).map_err(failed)?.first_error {
        Some(text) if is_of_login(&text) => Err(refused(text)),
        _ => Ok(()),
    }
}

fn is_of_login(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains("auth") || text.contains("pass")
}

fn refused(text: String) -> Failure {
    Failure::Refused(if is_of_login(&text) { format!("invalid auth: {text}") } else { text })
}

fn call(stream: &mut impl ReadWrite, requests: &Requests, count: u64) -> io::Result<Replies> {
    stream.write_all(requests.bytes())?;
    let mut replies = Replies::default();
    let mut buffer = [0; LOGIN_BYTES];
    while replies.count < count && replies.first_error.is_none() {
        match stream.read(&mut buffer) {
            Ok(0) => return Err(closed()),
            Ok(size) => replies.feed(&buffer[..size])?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return Err(io::Error::new(ErrorKind::TimedOut, "no reply in time"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(replies)
}
