"""Whatever it is sent, the service answers as its OpenAPI description says, and never with 500."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import settings
from schemathesis.checks import ignored_auth

from rollcall.service.app import create_app
from tests.service.fake_litellm import KEY, FakeLiteLLM
from tests.service.samples import INVENTORY, options
from tests.service.serving import serving

API = schemathesis.openapi.from_dict(
    create_app(options("http://127.0.0.1:9"), inventory=lambda: INVENTORY).openapi()
)


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with FakeLiteLLM() as litellm:
        litellm.release.set()
        chosen = options(litellm.url, folder=tmp_path_factory.mktemp("s"))
        with serving(create_app(chosen, inventory=lambda: INVENTORY)) as base_url:
            yield base_url


@API.parametrize()
@settings(max_examples=15, deadline=None)
def test_every_answer_is_as_described(case: schemathesis.Case[Any], base_url: str) -> None:
    # `ignored_auth` would send this header again and wonder that it is accepted.
    case.call_and_validate(
        base_url=base_url,
        headers={"authorization": f"Bearer {KEY}"},
        excluded_checks=[ignored_auth],
    )


def test_the_description_names_what_clients_ask_for() -> None:
    raw = API.raw_schema
    assert {"/v1/models", "/v1/models/{model_id}", "/models", "/model/info", "/healthz"} <= set(
        raw["paths"]
    )
    assert set(raw["components"]["securitySchemes"]) == {"bearer", "xApiKey"}
