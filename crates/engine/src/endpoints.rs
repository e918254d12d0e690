//! The endpoints of hooks, as far as the engine knows any: a list of URLs, each of which the driver
//! may refuse. What a URL means is known to the driver alone.

/// Whether SETHOOK may name a URL; the driver's, which knows what it can send to.
pub trait EndpointChecker: Send + Sync {
    /// Checks one URL. Called while a command runs: it must neither wait nor use the engine.
    fn check(&self, url: &[u8]) -> Result<(), Refusal>;
}

/// Why SETHOOK may not name a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For the log of the server.
    pub reason: String,
    /// The client's error text; `None` where it is that of any invalid argument.
    pub reply: Option<String>,
}

/// The URLs in a list, without blanks around them.
pub fn split(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}
