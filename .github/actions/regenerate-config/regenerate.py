"""Regenerates config.yaml in three steps, each with no more in its environment than it needs.

    regenerate.py install    PACKAGE
    regenerate.py ask        KEYS, ROLLCALL_CONFIG, ROLLCALL_POLICY, LITELLM_DISCOVERY_MODE
    regenerate.py propose    GH_TOKEN, ROLLCALL_CONFIG, BRANCH, BASE, TITLE

`ask` plans and applies that very plan, `propose` opens or updates one pull request with the
result. WORK is a folder for what the one leaves to the other. Standard library only.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
WELL = ("ok", "no_key", "not_asked")
"""Verdicts that are no outage: the provider answered, or nobody wanted to ask it."""
MOST_BYTES = 60_000
"""GitHub takes at most 65,536 characters as a body."""
MARKER = re.compile(r"<!-- rollcall changes:((?: [0-9a-f]{8}\.[0-9a-f]{8}\.[0-9a-f]{8})+) -->")


class Change(NamedTuple):
    """One change of a plan, as the marker in a pull request's body holds it: three digests."""

    provider: str
    name: str
    after: str

    def __str__(self) -> str:
        return ".".join(self)


class PullRequest(NamedTuple):
    """One from our branch: what GitHub says of it, and the changes its marker names."""

    number: int
    url: str
    changes: frozenset[Change]


class Failed(Exception):
    """Ends the step: a title, and what to do."""


def main(step: str) -> int:
    """Do one step; the exit code is the step's."""
    try:
        return {"install": install, "ask": ask, "propose": propose}[step]()
    except Failed as failed:
        title, advice = failed.args
        print(f"::error title={title}::{advice}")
        return 1


# -- install -----------------------------------------------------------------------------------


def install() -> int:
    """Dependencies by the hashes beside this file; then rollcall alone, without its own."""
    pinned = str(HERE / "requirements.txt")
    pip("--require-hashes", "--only-binary", ":all:", "--requirement", pinned)
    asked_for = os.environ.get("PACKAGE") or ours()
    line = work() / "rollcall.txt"
    line.write_text(asked_for + "\n", encoding="utf-8")
    pip("--no-deps", "--no-build-isolation", "--requirement", str(line))
    return 0


def ours() -> str:
    """The rollcall that came with this action: a wheel beside it, else the checkout it is in."""
    wheels = sorted(HERE.glob("litellm_rollcall-*.whl"))
    checkout = HERE.parents[2]
    if wheels:
        return wheels[-1].as_uri()
    if (checkout / "src" / "rollcall").is_dir():
        return checkout.as_uri()
    raise Failed(
        "No rollcall to install",
        f"Put its wheel (make dist) into {HERE.name}/, beside action.yml, or say `package:`.",
    )


def pip(*arguments: str) -> None:
    """Install something."""
    run([sys.executable, "-m", "pip", "install", "--quiet", *arguments])


# -- ask ---------------------------------------------------------------------------------------


def ask() -> int:
    """Plan, show it, apply exactly that. Nobody else in this job sees the keys."""
    plan, body = work() / "plan.json", work() / "body.md"
    environment = {**os.environ, **keys(os.environ.get("KEYS", ""))}
    environment.pop("KEYS", None)
    command = ["rollcall", "plan", "--check", "--trial", "--out", str(plan), "--markdown"]
    with body.open("wb") as to:
        code = subprocess.run(command, env=environment, stdout=to, check=False).returncode
    tell("exit-code", str(code))
    tell("changed", str(code == 4).lower())
    summarise(body.read_text(encoding="utf-8"))
    if code == 4:
        command = ["rollcall", "apply", str(plan), "--quiet"]
        return subprocess.run(command, env=environment, check=False).returncode
    if code != 0:
        title, advice = REFUSALS.get(
            code, (f"rollcall plan ended with {code}", "See the log above.")
        )
        print(f"::error title={title}::{advice} {os.environ['ROLLCALL_CONFIG']} is unchanged.")
    return code


REFUSALS = {
    3: ("A guard refused the plan", "The summary says which one, and how to accept it."),
    5: ("No provider could be asked", "Check the keys in the secrets, and the log above."),
}


def keys(text: str) -> dict[str, str]:
    """The lines `NAME=value` of the input `keys`; a secret that is not set is empty."""
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        name, equals, value = line.strip().partition("=")
        if not name or name.startswith("#"):
            continue
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise Failed(
                "The input `keys` cannot be read",
                f"Line {number} of it is not NAME=value. A value has one line.",
            )
        found[name] = value
    return found


# -- propose -----------------------------------------------------------------------------------


def propose() -> int:
    """Open, update, close or leave alone the one pull request."""
    plan = json.loads((work() / "plan.json").read_text(encoding="utf-8"))
    changes = changes_of(plan)
    opened = next(iter(pull_requests("open")), None)
    if opened:
        tell("pull-request", opened.url)
        if away := lost_to_an_outage(opened.changes, changes, plan):
            return say(
                f"{opened.url} stays as it is: it holds changes of today's absentees ({away}),"
                " which an update would take out."
            )
    if not plan["changed"]:
        if opened:
            close(opened)
        return say(f"{os.environ['ROLLCALL_CONFIG']} is up to date.")
    if not opened and (closed := refused_before(changes)):
        return say(
            f"No pull request: {closed.url} with the same change was closed. Reopen that one to"
            " have it after all; a rule or `deny` in the policy keeps the change away for good."
        )
    push()
    body = write_body(changes)
    title = os.environ["TITLE"]
    if opened:
        gh("pr", "edit", str(opened.number), "--title", title, "--body-file", str(body))
    else:
        branch, base = os.environ["BRANCH"], os.environ["BASE"]
        where = ("--head", branch, "--base", base)
        tell("pull-request", gh("pr", "create", *where, "--title", title, "--body-file", str(body)))
    return 0


def changes_of(plan: dict[str, Any]) -> frozenset[Change]:
    """What a plan changes; an alias belongs to the provider that it leads to."""
    entries = {entry["model_name"]: entry for entry in plan["blocks"]["models"]}

    def provider(change: dict[str, Any]) -> str:
        after, before = change["after"], change["before"]
        target = after if isinstance(after, str) else None
        if isinstance(after, dict) and isinstance(after.get("model"), str):
            target = after["model"]
        entry = entries.get(target) if target else after or before
        info = entry.get("model_info") if isinstance(entry, dict) else None
        return str((info or {}).get("id", "")).removeprefix("rollcall/").partition("/")[0]

    return frozenset(
        Change(
            digest(provider(change)),
            digest(change["kind"], change["name"]),
            digest(change["after"]),
        )
        for change in plan["changes"]
    )


def digest(*values: object) -> str:
    """Eight characters that stand for some data."""
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def lost_to_an_outage(
    shown: frozenset[Change], now: frozenset[Change], plan: dict[str, Any]
) -> str:
    """Who kept a change that an open pull request shows from being planned today, in words."""
    names = {change.name for change in now}
    lost = [change for change in shown if change.name not in names]
    away = {row["name"]: row["verdict"] for row in plan["providers"] if row["verdict"] not in WELL}
    unproven = {digest("alias", row["name"]): row["name"] for row in plan["held"]}
    by_provider = {digest(name): f"{name}: {verdict}" for name, verdict in away.items()}
    found = {by_provider.get(change.provider) or unproven.get(change.name) for change in lost}
    return ", ".join(sorted(word for word in found if word))


def refused_before(changes: frozenset[Change]) -> PullRequest | None:
    """The newest closed one, if those that somebody closed hold all of this between them."""
    closed = pull_requests("closed")
    known = frozenset().union(*(one.changes for one in closed))
    return max(closed, key=lambda one: one.number) if changes and changes <= known else None


def pull_requests(state: str) -> list[PullRequest]:
    """Ours in that state: from a branch of this repository (a fork may name its own alike)."""
    fields = "number,url,body,mergedAt,isCrossRepository"
    where = ("--head", os.environ["BRANCH"], "--base", os.environ["BASE"], "--state", state)
    rows = json.loads(gh("pr", "list", *where, "--limit", "50", "--json", fields))
    return [
        PullRequest(row["number"], row["url"], marked(row["body"] or ""))
        for row in rows
        if not row["isCrossRepository"] and not row["mergedAt"]
    ]


def marked(body: str) -> frozenset[Change]:
    """The changes that the marker in a body names."""
    found = MARKER.search(body)
    words = found[1].split() if found else []
    return frozenset(Change(*word.split(".")) for word in words)


def write_body(changes: frozenset[Change]) -> Path:
    """The plan as the pull request's body, with the marker, cut where GitHub would refuse it."""
    text = (work() / "body.md").read_text(encoding="utf-8")
    marker = (
        f"<!-- rollcall changes: {' '.join(sorted(map(str, changes)))} -->\n" if changes else ""
    )
    room = MOST_BYTES - len(marker)
    if len(text.encode()) > room:
        shorter = text.encode()[: max(room, 0)].decode(errors="ignore")
        text = f"{shorter}\n\n(The rest is in the summary of the job.)\n"
    body = work() / "pull-request.md"
    body.write_text(f"{text}\n{marker}", encoding="utf-8")
    return body


def close(opened: PullRequest) -> None:
    """Close one that has nothing left to change; without a marker, for nobody refused it."""
    gh("pr", "edit", str(opened.number), "--body-file", str(write_body(frozenset())))
    comment = f"{os.environ['BASE']} is up to date: nothing is left to change."
    gh("pr", "close", str(opened.number), "--delete-branch", "--comment", comment)


def push() -> None:
    """Commit config.yaml and push it, unless the branch has that content already."""
    config, ref = os.environ["ROLLCALL_CONFIG"], f"refs/heads/{os.environ['BRANCH']}"
    who = ("-c", "user.name=rollcall", "-c", "user.email=rollcall@users.noreply.github.com")
    git("add", "--", config)
    git(*who, "commit", "--quiet", "--message", os.environ["TITLE"], "--", config)
    url = f"{os.environ['GITHUB_SERVER_URL']}/{os.environ['GITHUB_REPOSITORY']}"
    stands = git("ls-remote", url, ref).partition("\t")[0]
    if stands:
        git("fetch", "--quiet", "--depth=1", url, ref)
        if git("rev-parse", f"{stands}^{{tree}}") == git("rev-parse", "HEAD^{tree}"):
            print(f"{os.environ['BRANCH']} has this content already.")
            return
    # The branch is overwritten, but never what somebody pushed since it was looked at.
    git("push", "--quiet", f"--force-with-lease={ref}:{stands}", url, f"HEAD:{ref}")


def git(*arguments: str) -> str:
    """Run git with the token that was given, in place of any that checkout left behind."""
    key = f"http.{os.environ['GITHUB_SERVER_URL']}/.extraheader"
    login = base64.b64encode(f"x-access-token:{os.environ['GH_TOKEN']}".encode()).decode()
    # An empty value empties the list: two headers would be refused.
    settings = [(key, ""), (key, f"AUTHORIZATION: basic {login}")]
    environment = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings):
        environment |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return run(["git", *arguments], environment)


def gh(*arguments: str) -> str:
    """Run GitHub's own command line; GH_TOKEN is in the environment."""
    return run(["gh", *arguments], {"GH_REPO": os.environ["GITHUB_REPOSITORY"]})


# -- what the steps share ----------------------------------------------------------------------

ADVICE = {
    "git push": "May the token write? It needs `permissions: contents: write` in the job, and no"
    " rule of the repository that protects this branch.",
    "gh pr": "May it open pull requests? It needs `permissions: pull-requests: write` in the job,"
    " and Settings, Actions, General: Allow GitHub Actions to create and approve pull requests.",
}


def run(command: list[str], environment: dict[str, str] | None = None) -> str:
    """Run a command and give what it prints; where it fails, its words and what to do."""
    done = subprocess.run(
        command,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        print(done.stdout + done.stderr)
        words = " ".join(command[:2])
        raise Failed(
            f"{words} ended with {done.returncode}", ADVICE.get(words, "See the log above.")
        )
    return done.stdout.strip()


def work() -> Path:
    """The folder of this job's leavings."""
    folder = Path(os.environ["WORK"])
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def say(text: str) -> int:
    """Tell it in the log and in the job's summary."""
    print(text)
    summarise(f"\n{text}\n")
    return 0


def summarise(text: str) -> None:
    """Add to the job's summary."""
    append("GITHUB_STEP_SUMMARY", text)


def tell(name: str, value: str) -> None:
    """Set an output of the step."""
    append("GITHUB_OUTPUT", f"{name}={value}\n")


def append(variable: str, text: str) -> None:
    """Add to the file that a variable names."""
    with Path(os.environ.get(variable) or os.devnull).open("a", encoding="utf-8") as to:
        to.write(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
