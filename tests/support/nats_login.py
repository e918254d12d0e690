"""NATS credentials: keys and signed claims of an operator, an account and a user."""

import base64
import json
import secrets
from pathlib import Path

import nkeys


class Signer:
    """A key pair of an operator, account or user."""

    def __init__(self, prefix: int) -> None:
        """Generate the keys."""
        self.seed: bytes = nkeys.encode_seed(secrets.token_bytes(32), prefix)
        self._pair = nkeys.from_seed(bytearray(self.seed))
        self.name: str = self._pair.public_key.decode()

    def sign(self, subject: "Signer", kind: str, **claims: object) -> str:
        """Return a signed token (JWT) with claims about a subject."""
        words = {"iss": self.name, "sub": subject.name, "name": kind, "iat": 1_700_000_000}
        payload = {**words, "jti": kind, "nats": {"type": kind, "version": 2, **claims}}
        text = f"{encoded({'typ': 'JWT', 'alg': 'ed25519-nkey'})}.{encoded(payload)}"
        return f"{text}.{base64_text(self._pair.sign(text.encode()))}"


def base64_text(data: bytes) -> str:
    """Encode bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def encoded(words: dict[str, object]) -> str:
    """Encode a part of a token."""
    return base64_text(json.dumps(words).encode())


def make_login(folder: Path) -> tuple[Path, Path, Path]:
    """Write a server's configuration, credentials of a user, and credentials it doesn't accept."""
    operator = Signer(nkeys.PREFIX_BYTE_OPERATOR)
    account, system = (Signer(nkeys.PREFIX_BYTE_ACCOUNT) for _ in range(2))
    names = ("subs", "data", "payload", "imports", "exports", "conn", "leaf")
    limits = {**dict.fromkeys(names, -1), "wildcards": True}
    config = folder / "operator.conf"
    lines = [
        f"operator: {operator.sign(operator, 'operator')}",
        f"system_account: {system.name}",
        "resolver: MEMORY",
        "resolver_preload: {",
        *(
            f"{one.name}: {operator.sign(one, 'account', limits=limits)}"
            for one in (account, system)
        ),
        "}",
    ]
    config.write_text("\n".join(lines))
    known = write_credentials(folder / "known.creds", account)
    stranger = write_credentials(folder / "stranger.creds", Signer(nkeys.PREFIX_BYTE_ACCOUNT))
    return config, known, stranger


def write_credentials(path: Path, account: Signer) -> Path:
    """Write the credentials of a new user of an account."""
    user = Signer(nkeys.PREFIX_BYTE_USER)
    token = account.sign(user, "user", pub={}, sub={}, subs=-1, data=-1, payload=-1)
    path.write_text(
        f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed.decode()}\n------END USER NKEY SEED------\n"
    )
    return path
