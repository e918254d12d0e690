//! Builds the load generator, so that every wheel holds its program. Doesn't build the binding.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

const PROGRAM: &str = "tile38py-benchmark";

fn main() -> io::Result<()> {
    let crates = Path::new("..").join("benchmark");
    println!("cargo:rerun-if-changed={}", crates.display());
    println!("cargo:rerun-if-changed=../../Cargo.lock");
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    let target = env::var("TARGET").map_err(io::Error::other)?;
    // A folder of its own: the one of this build is locked until this program ends.
    let folder = out.join("target");
    let status = Command::new(env::var("CARGO").map_err(io::Error::other)?)
        .args(["build", "--quiet", "--release", "--locked", "--package", PROGRAM])
        .args(["--target", &target, "--target-dir"])
        .arg(&folder)
        // The program is small, and has to stay so in the wheel.
        .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
        .env("CARGO_PROFILE_RELEASE_STRIP", "true")
        .status()?;
    if !status.success() {
        return Err(io::Error::other("the load generator can't be built"));
    }
    fs::copy(folder.join(&target).join("release").join(PROGRAM), out.join(PROGRAM))?;
    Ok(())
}
