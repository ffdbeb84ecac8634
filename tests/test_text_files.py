"""Files as editors and shells on Windows leave them: with a byte order mark, or in UTF-16."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rollcall.files import NotUTF8, text_of
from rollcall.runtime.config import load_config
from rollcall.runtime.errors import LLMError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.house import House

MARK = b"\xef\xbb\xbf"
FILES = ("policy.yaml", "config.yaml", ".env", "plan.json", "policy.picked.yaml")
ROLES = b"project: p\nenv: dev\nproviders: {openai: {auth_profile: a}}\nroles: {}\n"


@pytest.fixture
def furnished(house: House) -> House:
    """One of each file that a person or a shell may have written."""
    house.write_policy("allow: [{family: claude-haiku, from: [anthropic]}]\n", "anthropic")
    (house.folder / ".env").write_bytes(b"LITELLM_DISCOVERY_MODE=orchestrator\n")
    assert house.run("plan", "--out", "plan.json").code == 0
    house.applied()
    assert house.run("pick", house.names()[0]).code == 0
    house.run("rollback")
    return house


def applied(house: House, name: str) -> tuple[int, str]:
    """What `apply`, of the saved plan where that is the file, ends with and says."""
    ran = house.run("apply", *(["plan.json"] if name == "plan.json" else []))
    return ran.code, ran.err


@pytest.mark.parametrize("name", FILES)
def test_a_byte_order_mark_is_no_part_of_what_a_file_says(furnished: House, name: str) -> None:
    if name == "plan.json":
        (furnished.folder / "policy.picked.yaml").unlink()
    path = furnished.folder / name
    path.write_bytes(MARK + path.read_bytes())
    if name in ("policy.yaml", "config.yaml"):
        furnished.run("plan", "--out", "plan.json")
    assert applied(furnished, name)[0] == 0
    assert furnished.names()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", FILES)
def test_utf_16_is_named_with_the_way_out(furnished: House, name: str, encoding: str) -> None:
    path = furnished.folder / name
    path.write_bytes(path.read_bytes().decode().encode(encoding))
    before = furnished.config.read_bytes()
    code, said = applied(furnished, name)
    assert code == 1
    assert "UTF-16" in said
    assert "UTF-8" in said.splitlines()[1] or "rollcall pick" in said.splitlines()[1]
    assert len(said.splitlines()) == 2
    assert furnished.config.read_bytes() == before


def test_the_library_reads_them_alike(tmp_path: Path) -> None:
    path = tmp_path / "llm_orchestrator.yaml"
    path.write_bytes(MARK + ROLES)
    assert load_config(path).project == "p"
    path.write_bytes(ROLES.decode().encode("utf-16"))
    with pytest.raises(LLMError, match="UTF-16"):
        load_config(path)


def test_another_code_page_is_named_with_its_line() -> None:
    assert text_of(MARK + b"a\r\nb") == "a\r\nb"
    with pytest.raises(NotUTF8) as caught:
        text_of(b"a\nb\ncaf\xe9\n")
    assert caught.value.said_of("policy.yaml") == "policy.yaml:3 cannot be read: it is not UTF-8."
