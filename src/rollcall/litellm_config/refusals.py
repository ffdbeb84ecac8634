"""Why config.yaml is left alone: every reason, its sentence and what the user can do about it.

One table is the home of all of them, so that the docs and the tests can walk through it.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from rollcall.errors import ConfigRefused
from rollcall.files import AS_UTF_8

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollcall.settings import Settings

_P = ParamSpec("_P")
_T = TypeVar("_T")

ADOPT = "Run `rollcall adopt` to put them back between markers."

REASONS: dict[str, tuple[str, str]] = {
    "not_utf8": (
        "{detail}",
        AS_UTF_8 + " LiteLLM could not read it either.",
    ),
    "old_line_ends": (
        "its lines end in a lone carriage return",
        "Save the file with Unix (LF) or Windows (CRLF) line ends.",
    ),
    "broken_yaml": (
        "it is not valid YAML ({detail})",
        "Correct that place; `litellm --config` would stop there too.",
    ),
    "template": (
        "it is a template, not yet YAML ({detail})",
        "Render the template first and point --config at its result.",
    ),
    "several_documents": (
        "a second YAML document begins",
        "LiteLLM reads one document only; move the config to a file of its own.",
    ),
    "kubernetes": (
        "it is a Kubernetes manifest, and no text in it is a LiteLLM config",
        "Name the file that holds model_list, or the manifest with it under `config.yaml: |`; a"
        " kustomization's configMapGenerator reads an ordinary file.",
    ),
    "several_configs": (
        "the manifest holds several LiteLLM configs ({names})",
        "Say which one with --key NAME/KEY.",
    ),
    "not_a_block": (
        "the config in `{key}` is not written as a block (`{key}: |`)",
        "Write it as a block; then it is edited in place.",
    ),
    "helm": (
        "the manifest is a template ({{{{ }}}}), not yet YAML",
        "Keep the config as a file of its own in the chart, read with"
        " `.Files.Get`, and name that file; or edit what `helm template` renders.",
    ),
    "not_litellm": (
        "it holds none of LiteLLM's keys",
        "Point --config at the file that holds model_list, or begin it with `model_list: []`.",
    ),
    "not_a_mapping": (
        "its top level is not a mapping",
        "A LiteLLM config begins with keys such as `model_list:`.",
    ),
    "duplicate_key": (
        "`{key}` stands here for the second time, and only the last one counts",
        "Join the two into one.",
    ),
    "alias": (
        "`{key}` is a YAML alias, so an edit would change its anchor's place as well",
        "Write its content out in place of the alias.",
    ),
    "merge_key": (
        "`{key}` may come from the merge key `<<` of this mapping",
        "Write `{key}` out beside the merge key.",
    ),
    "wrong_type": (
        "`{key}` is not a {expected}",
        "Correct it; LiteLLM cannot use it as it is.",
    ),
    "two_fallbacks": (
        "fallbacks stand in both router_settings and litellm_settings, and the first hide the"
        " second",
        "Keep them in one of the two sections.",
    ),
    "block_scalar_end": (
        "the file ends inside a block scalar without a final newline, so any line after it would"
        " change its value",
        "Add a newline at the end of the file.",
    ),
    "no_place": (
        "there is no place for `{key}` here that leaves every other byte alone",
        "Write `{key}` in block style, one entry below the other.",
    ),
    "marker_in_scalar": (
        "one of our marker lines stands inside a text value",
        "Take the marker line out of that value.",
    ),
    "marker_unpaired": (
        "the {side} marker of the managed {kind} stands without its other half",
        "Run `rollcall adopt`: it takes the stray marker out and puts ours between a new pair.",
    ),
    "marker_repeated": (
        "a second block of managed {kind} begins",
        "Run `rollcall adopt`: it joins what is ours between one pair of markers.",
    ),
    "marker_inline": (
        "a marker of the managed {kind} shares its line with something else",
        "Run `rollcall adopt`: it takes the markers out and puts ours between a new pair.",
    ),
    "marker_misplaced": (
        "the markers of the managed {kind} do not stand around whole entries of `{key}`",
        "Run `rollcall adopt`: it takes the markers out and puts ours between a new pair.",
    ),
    "foreign_entry": (
        "an entry that is not ours (no managed_by) stands between our markers",
        "Move it below the end marker, or run `rollcall adopt`, which leaves it to you.",
    ),
    "odd_row": (
        "a row of the managed {kind} is not whole: {detail}",
        "Put it right, or delete its lines: the next `rollcall apply` writes them anew.",
    ),
    "stray_entries": (
        "`{name}` says it is managed by rollcall, but stands outside our markers",
        ADOPT,
    ),
    "shared_anchor": (
        "`{name}` holds an anchor that other lines use",
        "Move the anchor out of the entry first.",
    ),
    "literal_key": (
        "`{name}` holds a literal secret ({key}), and managed lines appear in diffs and reports",
        "Put the secret in an environment variable and write `os.environ/NAME` instead.",
    ),
    "unrenderable": (
        "a value of `{name}` cannot be written as plain YAML ({detail})",
        "Take that value out of the entry.",
    ),
    "read_back": (
        "the edited text would not read back as intended ({detail}), so it was thrown away",
        "Write that section in plain block style, or report the file's shape to us.",
    ),
}
"""reason -> (what is wrong, completing "config.yaml:4: ...", and what to do)."""


def refusal(reason: str, line: int | None = None, **words: object) -> ConfigRefused:
    """The refusal for `reason`; `words` fill the gaps of its sentence."""
    why, hint = (text.format(**words) for text in REASONS[reason])
    return ConfigRefused("", hint, reason=reason, line=line, why=why)


def naming_config(
    command: Callable[Concatenate[Settings, _P], _T],
) -> Callable[Concatenate[Settings, _P], _T]:
    """A command whose refusals call config.yaml as its settings do."""

    @wraps(command)
    def run(settings: Settings, /, *args: _P.args, **more: _P.kwargs) -> _T:
        try:
            return command(settings, *args, **more)
        except ConfigRefused as refused:
            refused.name_file(settings.config_name)
            raise

    return run
