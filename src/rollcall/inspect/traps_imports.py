"""The Python code a config names, which LiteLLM imports at its start: whether it is there.

A callback, guardrail or login of the user's own is `module.name`: a file beside config.yaml, or a
module on Python's path. A callback that LiteLLM brings may need a package that `litellm[proxy]`
does not. Where either is missing, the start ends with a traceback. Nothing is imported to look.
"""

from __future__ import annotations

import ast
import sys
from glob import escape
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from rollcall.errors import did_you_mean
from rollcall.litellm_config.effective import mapping, rows_of
from rollcall.litellm_config.fields import known_callbacks
from rollcall.litellm_config.settings_fields import at
from rollcall.secrets import variable_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from rollcall.inspect.checked_config import CheckedConfig
    from rollcall.inspect.findings import Finding
    from rollcall.yaml_reading import Place

CALLBACK_LISTS = ("success_callback", "failure_callback", "audit_log_callbacks")
"""In litellm_settings, lists of names; a name with a dot is a module's."""
MODULES: Final = (
    "litellm_settings.callbacks",
    "litellm_settings.post_call_rules",
    "litellm_settings.callbacks.#",
    *(f"litellm_settings.{key}.#" for key in CALLBACK_LISTS),
    "litellm_settings.custom_provider_map.#.custom_handler",
    "general_settings.custom_auth",
    "general_settings.key_management_settings.custom_secret_manager",
    "general_settings.custom_key_generate",
    "general_settings.custom_key_update",
    "general_settings.custom_key_policy",
    "general_settings.custom_team_metadata_validate",
    "general_settings.custom_sso",
    "general_settings.custom_ui_sso_sign_in_handler",
    "guardrails.#.litellm_params.guardrail",
    "mcp_tools.#.handler",
    "router_settings.plugins.#",
)
"""Where a module's name may stand."""
OPENTELEMETRY = ("opentelemetry.sdk", "opentelemetry-sdk opentelemetry-exporter-otlp")
ENTERPRISE = frozenset(
    {
        "banned_keywords",
        "blocked_user_check",
        "google_text_moderation",
        "hide_secrets",
        "llamaguard_moderations",
        "llmguard_moderations",
        "openai_moderations",
    }
)
"""Callbacks for which LiteLLM wants LITELLM_LICENSE before it starts."""
PACKAGES: Final[Mapping[str, tuple[str, str]]] = {
    **dict.fromkeys(
        ("agentops", "arize", "arize_phoenix", "langfuse_otel", "otel"),
        OPENTELEMETRY,
    ),
    "langfuse": ("langfuse", "langfuse"),
    "mlflow": ("mlflow", "mlflow"),
    "prometheus": ("prometheus_client", "prometheus_client"),
}
"""Callback -> the module without which LiteLLM 1.108.7 does not start, and what to install."""
DISK_CACHE = ("diskcache", "diskcache")
"""The same of a cache on the disk."""


def import_traps(config: CheckedConfig) -> Iterator[Finding]:
    """Callbacks LiteLLM does not know, packages and modules that are not there."""
    yield from _callbacks(config)
    if mapping(config.cache_params).get("type") == "disk":
        place = ("litellm_settings", "cache_params", "type")
        yield from _package(config, place, "disk cache", DISK_CACHE)
    for path, named in _modules(config):
        yield from _module(config, path, named)


def _callbacks(config: CheckedConfig) -> Iterator[Finding]:
    """What is no module's name in the lists of callbacks."""
    settings = config.section("litellm_settings")
    missing: set[str] = set()  # most stand in several of the lists
    for key in ("callbacks", *CALLBACK_LISTS):
        rows = settings.get(key)
        if rows is not None and not isinstance(rows, list) and variable_of(rows) is None:
            yield from _no_list(config, key, rows)
        for index, name in enumerate(rows_of(rows)):
            path = ("litellm_settings", key, index)
            if not isinstance(name, str):
                what = f"Item {index + 1} of {key} is not a text: LiteLLM does not start."
                yield config.error("callbacks", what, path, "Write a callback's name.")
            elif key == "callbacks" and _is_unknown(config, name):
                what = f"LiteLLM does not know the callback {name}: it does not start."
                near = did_you_mean(name, known_callbacks())
                yield config.error(
                    "callbacks", what, path, near or "Take it out, or write `module.name`."
                )
            elif key == "callbacks" and name in ENTERPRISE:
                yield from _enterprise(config, path, name)
            elif name in PACKAGES and key != "audit_log_callbacks" and name not in missing:
                missing.add(name)
                yield from _package(config, path, f"callback {name}", PACKAGES[name])


def _no_list(config: CheckedConfig, key: str, rows: object) -> Iterator[Finding]:
    """A list of callbacks that is none: a name alone is taken for a module, or letter by letter."""
    if isinstance(rows, str) and key == "callbacks" and "." in rows:
        return
    ends = key == "callbacks" or not isinstance(rows, str | dict)
    then = "LiteLLM does not start" if ends else "it has no effect"
    what = f"{key} in litellm_settings is not a list: {then}."
    fix = f"Write [{rows}]." if isinstance(rows, str) else "Write a list of names."
    yield config.error("callbacks", what, ("litellm_settings", key), fix)


def _is_unknown(config: CheckedConfig, name: str) -> bool:
    own = mapping(config.section("callback_settings").get(name))
    return "." not in name and name not in known_callbacks() and not own


def _enterprise(config: CheckedConfig, path: Place, callback: str) -> Iterator[Finding]:
    if not config.environ.get("LITELLM_LICENSE"):
        what = f"The callback {callback} wants an Enterprise licence: LiteLLM does not start."
        yield config.error("callbacks", what, path, "Set LITELLM_LICENSE, or take it out.")


def _package(
    config: CheckedConfig, path: Place, who: str, needed: tuple[str, str]
) -> Iterator[Finding]:
    module, packages = needed
    if config.import_folders and not _is_there(module, config.import_folders):
        what = f"The {who} needs a package that is not there: LiteLLM does not start."
        fix = f"Install it beside LiteLLM: pip install {packages}"
        yield config.error("package_missing", what, path, fix)


def _modules(config: CheckedConfig) -> Iterator[tuple[Place, str]]:
    """Each `module.name` of the config and where it stands."""
    for place in MODULES:
        for path, text in at(config.merged, place):
            if isinstance(text, str) and "." in text and "://" not in text:
                yield path, text


def _module(config: CheckedConfig, path: Place, named: str) -> Iterator[Finding]:
    """Why a module, or the name in it, cannot be had."""
    if config.folder is None:
        return
    module, _, name = named.rpartition(".")
    file = config.folder.joinpath(*module.split(".")).with_suffix(".py")
    if file.is_file():
        if reason := _flaw(file, name, is_callback=path[1] == "callbacks"):
            what = f"{named}: {reason}: LiteLLM does not start."
            yield config.error("module", what, path, f"Mend {file.name}, or take the line out.")
    elif (
        config.import_folders
        and module.partition(".")[0] not in sys.stdlib_module_names
        and not _is_there(module, config.import_folders)
    ):
        what = f"{named} is not there: LiteLLM does not start."
        yield config.error("module", what, path, _where_to_put(module, file))


def _where_to_put(module: str, file: Path) -> str:
    """Where LiteLLM looks for a module; what begins with a slash leads there from the root."""
    parts = module.split(".")
    if any(PurePath(part).root for part in parts):
        return f"Put {file.name} into {file.parent}."
    return f"Put {'/'.join(parts)}.py beside config.yaml."


def _flaw(file: Path, name: str, *, is_callback: bool) -> str | None:
    """What keeps a name of a module from being used; None where nothing is seen to."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError) as error:
        return f"{file.name} is no Python ({getattr(error, 'msg', error)})"
    except OSError:
        return f"{file.name} cannot be read"
    defined: dict[str, ast.stmt] = {}
    for statement in tree.body:
        for defines in _names(statement):
            defined[defines] = statement
    if "*" not in defined and name not in defined:
        return f"{file.name} has no {name}"
    if is_callback and isinstance(defined.get(name), ast.ClassDef):
        return f"{name} is a class, not an instance of one"
    return None


def _names(statement: ast.stmt) -> Iterator[str]:
    """What a statement at a module's top level may define; `*` where that cannot be told."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            for alias in names:
                yield (alias.asname or alias.name).partition(".")[0]
        case ast.Assign() | ast.AnnAssign():
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for target in targets:
                for node in ast.walk(target):
                    if isinstance(node, ast.Name):
                        yield node.id
        case ast.Expr():
            pass
        case _:  # a name may be defined below an `if`, a `try`, a `with`
            yield "*"


def _is_there(module: str, folders: Sequence[Path]) -> bool:
    """Whether one of the folders has the module, as a package, a file or a compiled one.

    Python imports no path: a callback such as `/app/hooks.handler` is a file, or nothing.
    """
    *above, last = module.split(".")
    if not last or "/" in module or "\\" in module:
        return False
    return any(
        (parent / last).is_dir() or any(parent.glob(f"{escape(last)}.*"))
        for parent in (folder.joinpath(*above) for folder in folders)
    )
