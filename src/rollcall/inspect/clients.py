"""How to call the proxy: the lines that send a client through it, and a first call. Pure.

Keys appear only as references to a variable, never as values, so the lines may be pasted, kept in
a profile or shown to somebody.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rollcall.errors import NotFound, SettingsError, did_you_mean
from rollcall.inspect.shells import Shell, assignment, quoted, reference, remark, removal
from rollcall.settings import proxy_root

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ROOT, V1, KEY, MODEL = "{root}", "{v1}", "{key}", "{model}"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One client as data.

    Attributes:
        title: for people. variables: name -> ROOT (the proxy's URL), V1 (with /v1), KEY, MODEL
            (left out where none is chosen), or the value itself.
        unset: variables that would win over these.
        notes: what no variable can do; the same words in braces are filled in.
    """

    title: str
    variables: tuple[tuple[str, str], ...] = ()
    unset: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


IN_CODE = 'Name models so in your code: model="{model}"'

CLIENTS: dict[str, Client] = {
    "claude-code": Client(
        title="Claude Code",
        variables=(
            ("ANTHROPIC_BASE_URL", ROOT),
            ("ANTHROPIC_AUTH_TOKEN", KEY),
            ("CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY", "1"),
            ("ANTHROPIC_MODEL", MODEL),
        ),
        unset=("ANTHROPIC_API_KEY",),
        notes=("Its model list shows names with claude or anthropic in them; /model takes any.",),
    ),
    "codex": Client(
        title="Codex CLI",
        variables=(("OPENAI_BASE_URL", V1), ("OPENAI_API_KEY", KEY)),
        notes=(
            "Start it with: codex --model {model}",
            "Or for good, in ~/.codex/config.toml:",
            'model = "{model}"',
            'model_provider = "litellm"',
            "[model_providers.litellm]",
            'name = "LiteLLM"',
            'base_url = "{v1}"',
            'env_key = "{key}"',
            'wire_api = "responses"',
        ),
    ),
    "gemini-cli": Client(
        title="Gemini CLI",
        variables=(
            ("GOOGLE_GEMINI_BASE_URL", ROOT),
            ("GEMINI_API_KEY", KEY),
            ("GEMINI_MODEL", MODEL),
        ),
    ),
    "aider": Client(
        title="aider",
        variables=(("OPENAI_API_BASE", V1), ("OPENAI_API_KEY", KEY)),
        notes=("Start it with: aider --model openai/{model}",),
    ),
    "open-webui": Client(
        title="Open WebUI",
        variables=(
            ("OPENAI_API_BASE_URL", V1),
            ("OPENAI_API_KEY", KEY),
            ("DEFAULT_MODELS", MODEL),
        ),
        notes=(
            "In a container 127.0.0.1 is the container itself: use the host's name.",
            "After its first start the values in Admin Settings, Connections win over these.",
        ),
    ),
    "openai": Client(
        title="OpenAI's libraries",
        variables=(("OPENAI_BASE_URL", V1), ("OPENAI_API_KEY", KEY)),
        notes=(IN_CODE,),
    ),
    "anthropic": Client(
        title="Anthropic's libraries",
        variables=(("ANTHROPIC_BASE_URL", ROOT), ("ANTHROPIC_API_KEY", KEY)),
        unset=("ANTHROPIC_AUTH_TOKEN",),
        notes=(IN_CODE,),
    ),
    "litellm": Client(
        title="LiteLLM's library",
        variables=(("LITELLM_PROXY_API_BASE", ROOT), ("LITELLM_PROXY_API_KEY", KEY)),
        notes=('Name models so in your code: model="litellm_proxy/{model}"',),
    ),
    "cline": Client(
        title="Cline",
        notes=(
            "It reads no variables. In its settings choose the API provider LiteLLM, with",
            "Base URL {root}, as API key the value of {key}, and a model such as {model}.",
        ),
    ),
    "continue": Client(
        title="Continue",
        notes=(
            "It reads no variables. In ~/.continue/config.yaml:",
            "models:",
            "  - name: LiteLLM",
            "    provider: openai",
            "    model: AUTODETECT   # or one of them: {model}",
            "    apiBase: {v1}",
            "    apiKey: ${{ secrets.{key} }}",
        ),
    ),
    "librechat": Client(
        title="LibreChat",
        notes=(
            "It reads no variables. In librechat.yaml:",
            "endpoints:",
            "  custom:",
            "    - name: LiteLLM",
            "      baseURL: {v1}",
            "      apiKey: ${{key}}",
            "      models: {fetch: true, default: [{model}]}",
        ),
    ),
    "zed": Client(
        title="Zed",
        notes=(
            "Its settings ask for the key, the value of {key}. In settings.json, with each model:",
            '"language_models": {"openai_compatible": {"LiteLLM": {"api_url": "{v1}",',
            '  "available_models": [{"name": "{model}", "max_tokens": 200000}]}}}',
        ),
    ),
    "cursor": Client(
        title="Cursor",
        notes=(
            "It reads no variables. In Settings, Models: override the OpenAI base URL with",
            "{root}/cursor, give the value of {key} as key, and add each name by hand: {model}.",
            "Its calls come from Cursor's servers, so the proxy must be reachable from outside.",
        ),
    ),
}
"""Every client we know, by the word `rollcall env` takes."""


def find_client(word: str) -> str:
    """The client a word means: its own word, or one that it alone begins with or holds.

    Raises:
        NotFound: none, or several.
    """
    names = {_bare(name): name for name in CLIENTS}
    bare = _bare(word)
    if bare in names:
        return names[bare]
    for fits in (str.startswith, str.__contains__):
        found = [name for spelled, name in names.items() if fits(spelled, bare)]
        if bare and len(found) == 1:
            return found[0]
    known = did_you_mean(word, CLIENTS) or f"There are: {', '.join(CLIENTS)}."
    raise NotFound(f"No client is called {word!r} here.", known)


def _bare(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.lower())


def missing_key(
    variable: str, environ: Mapping[str, str], dotenv: Path | None
) -> SettingsError | None:
    """Why a shell would hand its clients an empty key; None where it would not.

    Args:
        environ: the shell's own variables, without those of `.env`.
        dotenv: the `.env` that holds the variable, where one does.
    """
    if environ.get(variable, "").strip():
        return None
    if dotenv:
        what = f"{variable} stands in {dotenv}, which this shell does not read."
    else:
        what = f"{variable} is {'empty' if variable in environ else 'not set'}."
    return SettingsError(
        f"{what} The lines leave the key out.",
        f"Set {variable} in this shell first, or name another variable with --key-env.",
    )


def client_lines(
    client: str,
    base_url: str,
    key_variable: str,
    shell: Shell,
    *,
    model: str | None = None,
    has_key: bool = True,
) -> list[str]:
    """The lines a shell needs to send `client` through the proxy; remarks are comments.

    Args:
        base_url: the proxy's root, with or without /v1.
        key_variable: the name of the variable that holds the proxy's key.
        model: a name to start with, where the client takes one.
        has_key: whether that variable holds one; else the client gets none, also not the key of
            a provider that was meant for another address.

    Raises:
        NotFound: the client is not known. SettingsError: the variable is none, or cmd cannot be
            given a value.
    """
    row = CLIENTS[find_client(client)]
    if not _VARIABLE.fullmatch(key_variable):
        # The value is not repeated: somebody may have given the key itself.
        raise SettingsError(
            "What was given for the key is not a variable's name.",
            "Name the variable that holds the key, for example LITELLM_API_KEY.",
        )
    root = proxy_root(base_url)
    model = (model or "").strip()
    words = {ROOT: root, V1: f"{root}/v1", KEY: key_variable, MODEL: model}
    lines = [remark(row.title, shell)]
    lines += [removal(name, shell) for name in row.unset if name != key_variable]
    for name, meaning in row.variables:
        value = words.get(meaning, meaning)
        if meaning == KEY and name != key_variable:
            given = reference(name, key_variable, shell)
            lines.append(given if has_key else removal(name, shell))
        elif meaning != KEY and value:
            lines.append(assignment(name, value, shell))
    words[MODEL] = model or "NAME"
    return lines + [remark(_filled(note, words), shell) for note in row.notes]


def sample_calls(base_url: str, key_variable: str, model: str) -> dict[str, str]:
    """One chat call with a model, by the word for what makes it: curl, PowerShell, Python."""
    url = f"{proxy_root(base_url)}/v1"
    messages = [{"role": "user", "content": "Hello"}]
    body = json.dumps({"model": model, "messages": messages})
    return {
        "curl": (
            f"curl {quoted(f'{url}/chat/completions', 'sh')} \\\n"
            f'  -H "Authorization: Bearer ${key_variable}" \\\n'
            "  -H 'Content-Type: application/json' \\\n"
            f"  -d {quoted(body, 'sh')}"
        ),
        "PowerShell": (
            f"Invoke-RestMethod {quoted(f'{url}/chat/completions', 'powershell')} -Method Post `\n"
            f'  -Headers @{{Authorization = "Bearer $env:{key_variable}"}} `\n'
            "  -ContentType 'application/json' `\n"
            f"  -Body {quoted(body, 'powershell')}"
        ),
        "Python": (
            "import os\n"
            "from openai import OpenAI\n"
            "\n"
            f"client = OpenAI(base_url={url!r}, api_key=os.environ[{key_variable!r}])\n"
            f"reply = client.chat.completions.create(model={model!r}, messages={messages!r})\n"
            "print(reply.choices[0].message.content)"
        ),
    }


def _filled(note: str, words: dict[str, str]) -> str:
    """A remark with its words filled in, on one line whatever the words hold."""
    for word, value in words.items():
        note = note.replace(word, " ".join(value.split()))
    return note
