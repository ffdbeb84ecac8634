"""Decides who may ask, and which key LiteLLM is asked with on their behalf.

With ROLLCALL_API_TOKENS, one of those admits a caller and LITELLM_API_KEY goes upstream. Without,
whatever key the caller sends goes upstream as it is, and LiteLLM decides.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING

from rollcall.files import sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Header = tuple[bytes, bytes]

LITELLM_KEY_HEADER = b"x-litellm-api-key"
"""LiteLLM's own: where a client sends it that uses Authorization for something else."""

CREDENTIAL_HEADERS = frozenset(
    {
        LITELLM_KEY_HEADER,
        b"authorization",
        b"x-api-key",
        b"api-key",
        b"x-goog-api-key",
        b"ocp-apim-subscription-key",
    }
)
"""Where LiteLLM looks for a key; lower case."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may ask.

    Attributes:
        identity: stands for the key in caches; a keyed hash, useless outside this process.
        credentials: the headers LiteLLM is asked with.
        trusted: holds one of our tokens, or a key known to be the operator's: may see the list of
            config.yaml when LiteLLM cannot say what this key may see.
        own: admitted by one of our tokens; LiteLLM is asked with our own key.
    """

    identity: bytes
    credentials: tuple[Header, ...] = field(repr=False)
    trusted: bool
    own: bool = False


class Authenticator:
    """Admits callers.

    Args:
        tokens: our own tokens; none = callers' keys are passed on.
        upstream_key: what LiteLLM is asked with when there are tokens.
        operator_keys: keys of LiteLLM that this process knows itself.
    """

    def __init__(
        self, tokens: Sequence[str], upstream_key: str | None, operator_keys: Sequence[str] = ()
    ) -> None:
        self._secret = secrets.token_bytes(32)
        self._tokens = tuple(token.encode() for token in tokens)
        self._token_digests = tuple(map(sha256_of, self._tokens))
        self._operator_digests = tuple(sha256_of(key.encode()) for key in operator_keys)
        self._bearer = b"Bearer " + upstream_key.encode() if upstream_key else None

    @property
    def has_tokens(self) -> bool:
        """Whether callers need a token of ours."""
        return bool(self._tokens)

    @property
    def own(self) -> Caller:
        """Ourselves: what the background refresh asks as, with tokens."""
        return self._with_own_key(b"authorization")

    def admit(self, headers: Iterable[Header]) -> Caller | None:
        """The caller of a request with these headers; None = a token is needed and missing.

        A token in x-litellm-api-key takes only that header's place: what stands beside it is the
        caller's own at the provider (the sign-in of a subscription), which LiteLLM passes on.
        """
        given = tuple((name, key) for name, key in headers if name in CREDENTIAL_HEADERS and key)
        beside = tuple(pair for pair in given if pair[0] != LITELLM_KEY_HEADER)
        separate = tuple(pair for pair in given if pair[0] == LITELLM_KEY_HEADER)
        if self._tokens:
            if _any_of(separate, self._token_digests):
                passed = (pair for pair in beside if not self.carries_token(pair[1]))
                return self._with_own_key(LITELLM_KEY_HEADER, tuple(passed))
            admitted = _any_of(given, self._token_digests)
            return self._with_own_key(b"authorization") if admitted else None
        digest = blake2b(key=self._secret, digest_size=16)
        for name, value in separate or given:  # LiteLLM looks at nothing beside its own header
            digest.update(b"%s\0%d\0%s" % (name, len(value), value))
        return Caller(digest.digest(), given, _any_of(separate or given, self._operator_digests))

    def knows(self, token: str) -> bool:
        """Whether this is one of our tokens."""
        return _matches(token.encode(), self._token_digests)

    def carries_token(self, value: bytes) -> bool:
        """Whether one of our tokens stands in a header's value: it must not go upstream."""
        return any(token in value for token in self._tokens)

    def seal(self, word: str) -> str:
        """A value only this process can make, for the page's cookie."""
        return hmac.new(self._secret, word.encode(), sha256).hexdigest()

    def _with_own_key(self, header: bytes, beside: tuple[Header, ...] = ()) -> Caller:
        key = ((header, self._bearer),) if self._bearer else ()
        return Caller(b"own", (*beside, *key), trusted=True, own=True)


def _any_of(given: Iterable[Header], digests: Sequence[str]) -> bool:
    keys = [_bare_key(name, value) for name, value in given]
    return sum(_matches(key, digests) for key in keys if key) > 0


def _bare_key(name: bytes, value: bytes) -> bytes:
    scheme, _, key = value.strip().partition(b" ")
    bearer = key.strip() if scheme.lower() == b"bearer" else b""
    if name == b"authorization":
        return bearer
    if name == LITELLM_KEY_HEADER:
        return bearer or value.strip()
    return value.strip() if name == b"x-api-key" else b""


def _matches(key: bytes, digests: Sequence[str]) -> bool:
    """Compare with every digest, whichever fits: the time taken says nothing."""
    digest = sha256_of(key)
    return sum(hmac.compare_digest(digest, known) for known in digests) > 0
