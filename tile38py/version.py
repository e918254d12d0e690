"""The version of the package, which is also the version that it reports to clients."""

VERSION = "0.1.0"
