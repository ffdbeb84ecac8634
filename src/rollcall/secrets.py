"""What a secret looks like, and how keys are taken out of whatever anybody reads.

Providers echo keys in error messages: whole, URL-encoded, or masked (``xa***gA``,
``sk-ab...cd``), and a masked key still tells whose it is. What looks like a key of somebody
else's goes too. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus, unquote

if TYPE_CHECKING:
    from urllib.parse import SplitResult

ENDING: Final = (
    r"(?:keys?|secret|password|authorization|credentials?|token)"
    r"(?<!per_token)(?<!reasoning_token)(?:_id)?"
)
_ENDS: Final = rf"(?i){ENDING}\Z"
"""How the name of a secret ends. Prices end in `per_token` and are no secrets. Compiled when first
used, as those below: most runs need none of them."""


_NEAR: Final = re.compile(r"key|secret|passw|token|auth|credential|header|cookie", re.IGNORECASE)


def is_near_secret(key: object) -> bool:
    """Whether a key of this name has to do with secrets: what stands below it may hold one."""
    return _NEAR.search(str(key)) is not None


def address_holds_secret(parts: SplitResult) -> bool:
    """Whether a web address may hold one: a user, a password, a query, a fragment."""
    return bool(parts.username or parts.password or parts.query or parts.fragment)


_NO_KEY_HOLDS: Final = {
    "\ufeff": "a byte order mark",
    "\u200b": "a zero-width space",
    "\r": "a carriage return",
    "\n": "a line break",
    "\t": "a tab",
    " ": "a blank",
}


def key_problem(value: str) -> str | None:
    """What keeps a text from being a key that LiteLLM can send: "has a blank in it"; else None.

    Windows' shells and editors leave such things at the ends of what they read or paste.
    """
    for character in value:
        if not (character.isascii() and character.isprintable()) or character == " ":
            kind = "a control character" if character.isascii() else "a letter that is not ASCII"
            return f"has {_NO_KEY_HOLDS.get(character, kind)} in it"
    return "has quotes around it" if value and {value[0], value[-1]} & {"'", '"'} else None


def key_mark(key: str | None) -> str:
    """Tells one key from another and gives neither away; "" of none."""
    return sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:8] if key else ""


def names_secret(key: object) -> bool:
    """Whether the value of a key of this name should not be written out."""
    return re.search(_ENDS, str(key)) is not None


_VARIABLE: Final = rf"(?i)(?:{ENDING}|passwd|passphrase|_pass|_pwd|_dsn|connection_?string)\Z"
"""How a variable that holds a secret ends; `PWD` is a folder."""
_WITHIN: Final = (
    r"(?i)(?:passw(?:or)?d|pwd|(?:account|access|api)_?key|(?<=[?&])key|secret|token|sig(?:nature)?)"
    r"\s*=\s*([^;&\s]+)"
    r"|://[^\s/:@]*:([^\s/]+)@"
)
"""A part of a connection string, or the password of an address."""
_ORDINARY: Final = frozenset(
    (
        *("admin", "changeme", "default", "litellm", "mysql", "password", "postgres", "postgresql"),
        *("redis", "root", "secret", "test", "user"),
    )
)
"""Passwords of examples, which protect nothing and are words of ordinary text."""


def secrets_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """What variables hold that nobody may read: keys, passwords, tokens and connection strings, and
    the passwords within an address (`DATABASE_URL`) or a connection string.
    """
    found = [value for name, value in environ.items() if re.search(_VARIABLE, name) and value]
    for value in environ.values():
        for part in map("".join, re.findall(_WITHIN, value)):
            found += {part, unquote(part)} - _ORDINARY
    return tuple(dict.fromkeys(found))


REFERENCE: Final = "os.environ/"
"""LiteLLM puts a variable's value wherever a text of config.yaml begins so."""


def variable_of(value: object) -> str | None:
    """The variable that a value of config.yaml stands for; None where it stands for itself."""
    is_reference = isinstance(value, str) and value.startswith(REFERENCE)
    return str(value).removeprefix(REFERENCE) if is_reference else None


def is_written_out(key: object, value: object) -> bool:
    """Whether a value under a key of this name is a secret itself, and no variable's name."""
    return isinstance(value, str) and names_secret(key) and variable_of(value) is None


MARK: Final = "[redacted]"

SHORTEST: Final = 6
"""A shorter secret is a word such as `none` or `EMPTY`, and would hit ordinary text."""

_KEY: Final = (
    r"(?:sk-[A-Za-z0-9_\-]{8,}|(?:gsk_|xai-|pplx-|hf_|csk-|fw_)[A-Za-z0-9_]{10,}"
    r"|AIza[A-Za-z0-9_\-]{10,})"
)
"""A provider's key by its look."""
_SHORTEST_KEY: Final = 19

_PATTERNS: Final = (
    (rf"\b{_KEY}", MARK),
    (r"(?i)\b(bearer\s+)(?=\S*\d)[A-Za-z0-9._~+/=\-]{8,}", rf"\1{MARK}"),
    (r"[A-Za-z0-9_\-]*\*{3,}[A-Za-z0-9_\-]+|[A-Za-z0-9_\-]+\*{3,}", MARK),
    (r"(?i)([?&](?:api[_-]?)?(?:key|token)=)[^&\s\"'<>]+", rf"\1{MARK}"),
    (r"(?i)\b([a-z][a-z0-9+.\-]*://)[^\s/\"']+@", rf"\1{MARK}@"),
)
"""Keys nobody has told us of, by their look, in whatever is printed, also where no provider is
known yet; a run's own keys are known by their value, so a new provider needs no line here.
"""


def is_known_key(text: str) -> bool:
    """Whether a text is a provider's key by its look, and not one of the short words that people
    set where a server wants any: `sk-1234`, `sk-local`.
    """
    return len(text) >= _SHORTEST_KEY and re.fullmatch(rf"{_KEY}[A-Za-z0-9_\-]*", text) is not None


def looks_like_key(word: str) -> bool:
    """Whether a word is a key rather than a name: of a known kind, or long and random."""
    if Redactor().redact(word) != word or re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]+){2,4}", word):
        return True
    runs = re.findall(r"[A-Za-z0-9]{16,}", word)
    return any(sum(map(str.isdigit, run)) >= 3 for run in runs)


_MASKED: Final = (
    r"(?P<left>[^\s\"'`,;()<>*•…]{0,80}?)"
    r"(?P<mask>\*{2,}|\.{2,}|[•…]+|x{4,}|X{4,})"
    r"(?P<right>[^\s\"'`,;()<>*•….]{0,80})"
)
"""Something, a run of mask characters, something."""


_WORD_END: Final = r"[A-Za-z0-9_\-]*\Z"
_WORD_START: Final = r"\A[A-Za-z0-9_\-]*"


class Redactor:
    """Knows the secrets of this run; keeps them out of its repr, too."""

    __slots__ = ("_forms", "_secrets")

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Remember them; what is too short to be one is ignored."""
        kept = {secret for secret in secrets if len(secret) >= SHORTEST and secret not in MARK}
        self._secrets = tuple(sorted(kept, key=lambda secret: (-len(secret), secret)))
        self._forms = tuple(form for secret in self._secrets for form in _forms(secret))

    def __repr__(self) -> str:
        return f"Redactor({len(self._secrets)} secrets)"

    def redact(self, text: str) -> str:
        """`text` without known secrets, masked forms of them, and what looks like a key."""
        if not text:
            return text
        low = text.lower()
        for form in self._forms:
            if form.lower() in low:  # a host name loses its capitals
                text = re.sub(re.escape(form), MARK, text, flags=re.IGNORECASE)
                low = text.lower()
        for secret in self._secrets:
            text = _prefix_removed(text, secret)
        if self._secrets:
            text = re.sub(_MASKED, self._unmasked, text)
        for pattern, new in _PATTERNS:
            text = re.sub(pattern, new, text)
        return text

    def clean_page(self, body: bytes) -> bytes:
        """A reply body without known secrets, other bytes as they were.

        Only what cannot be part of a model's name is taken out: `ollama` or `lm-studio` are
        keys people really set for local servers.
        """
        if self._secrets and b"\\u00" in body:
            body = _ESCAPE.sub(_unescaped, body)
        for secret in self._secrets:
            if not _is_unlike_a_name(secret):
                continue
            for form in _forms(secret):
                if (known := form.encode("utf-8", "surrogatepass")) in body:
                    body = body.replace(known, MARK.encode())
        return body

    def _unmasked(self, match: re.Match[str]) -> str:
        """The masked text without the word around the mask, if that shows a known secret."""
        left, right = match["left"], match["right"]
        for secret in self._secrets:
            if _overlap(left, secret) >= 2 or _overlap(right[::-1], secret[::-1]) >= 2:
                return re.sub(_WORD_END, "", left) + MARK + re.sub(_WORD_START, "", right)
        return match[0]


_ESCAPE: Final = re.compile(rb"\\(?:u00([2-7][0-9A-Fa-f])|.)", re.DOTALL)
"""An escape in JSON; the group is that of a plain ASCII character that needed none."""


def _unescaped(found: re.Match[bytes]) -> bytes:
    letter = bytes([int(found[1], 16)]) if found[1] else b""
    return found[0] if letter in (b"", b'"', b"\\", b"\x7f") else letter


def _forms(secret: str) -> tuple[str, ...]:
    """The ways a secret is written out whole."""
    encoded = secret.encode("utf-8", "replace")
    escaped = json.dumps(secret)[1:-1]
    slashed = escaped.replace("/", "\\/")
    forms = (secret, quote(encoded, safe=""), quote_plus(encoded), quote(encoded), escaped, slashed)
    return tuple(dict.fromkeys(forms))


def _is_unlike_a_name(secret: str) -> bool:
    return len(secret) >= 12 or (len(secret) >= 8 and any(map(str.isdigit, secret)))


def _prefix_removed(text: str, secret: str, shortest: int = 12) -> str:
    """Without a cut-off beginning of the secret: messages are clipped before they reach us."""
    if len(secret) <= shortest or secret[:shortest] not in text:
        return text
    first, *rest = text.split(secret[:shortest])
    going_on = secret[shortest:]
    return MARK.join([first, *(part[_common(part, going_on) :] for part in rest)])


def _common(text: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = enumerate(zip(text, other, strict=False))
    different = (index for index, (left, right) in pairs if left != right)
    return next(different, min(len(text), len(other)))


def _overlap(text: str, secret: str) -> int:
    """How many characters at the end of `text` are the beginning of `secret`."""
    longest = min(len(text), len(secret))
    lengths = range(longest, 0, -1)
    return next((length for length in lengths if text.endswith(secret[:length])), 0)
