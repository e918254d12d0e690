//! Shared by the programs of all Rust libraries: the server's address, the report of steps.

use std::env::var;
use std::time::Duration;

pub const SCRIPT: &str = "return tile38.call('GET', KEYS[1], ARGV[1], 'POINT')";
pub const TIME_MAX: Duration = Duration::from_secs(10);

/// Returns the server's URL. The libraries' `native-tls` knows the certificates of `SSL_CERT_FILE`.
pub fn url() -> String {
    let scheme = if var("TILE38_CA").is_ok() { "rediss" } else { "redis" };
    let user = var("TILE38_USER").unwrap_or_default();
    let login = var("TILE38_PASSWORD").map(|password| format!("{user}:{password}@"));
    let (host, port) = (var("TILE38_HOST").unwrap(), var("TILE38_PORT").unwrap());
    format!("{scheme}://{}{host}:{port}", login.unwrap_or_default())
}

pub fn ok(step: &str) {
    println!("ok {step}");
}

/// Has the server restarted.
pub fn wait_for_restart() {
    println!("restart");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    assert_eq!(line, "restarted\n");
}
