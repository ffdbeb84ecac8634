"""The one place of an application that knows about models: a function for each role.

    python llm_bindings.py                    calls the provider of the role, with your key
    python llm_bindings.py --demo             calls simulated providers on loopback, no key
    python llm_bindings.py --role llm.inference "Why is the sky blue?"

A known error is two lines, what happened and what to do, and exit code 1.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rollcall import LLMClient, LLMError, LLMResponse, get_llm_client

CONFIG = Path(__file__).with_name("llm_orchestrator.yaml")


def ask(client: LLMClient, role: str, question: str) -> LLMResponse:
    """Ask the model of a role."""
    messages = [
        {"role": "system", "content": "Answer in one sentence."},
        {"role": "user", "content": question},
    ]
    return client.run(role, messages)


def main() -> int:
    """Ask one question and print the response."""
    parser = argparse.ArgumentParser(description="Ask a question by role.")
    parser.add_argument("question", nargs="?", default="What is a roll call?")
    parser.add_argument("--role", default="llm.preprocess")
    parser.add_argument("--demo", action="store_true", help="simulated providers, no key")
    options = parser.parse_args()
    try:
        if options.demo:
            with simulated_providers() as config:
                return show(config, options.role, options.question)
        return show(CONFIG, options.role, options.question)
    except LLMError as error:
        print(error, file=sys.stderr)
        return 1


def show(config: Path, role: str, question: str) -> int:
    """Print what the model of a role answers."""
    with get_llm_client(config) as client:
        response = ask(client, role, question)
    print(f"{role} is {response.provider}/{response.model}:")
    print(response.content)
    return 0


@contextmanager
def simulated_providers() -> Iterator[Path]:
    """The same roles, with addresses and keys of simulated providers. Only for --demo."""
    import simulated
    import yaml

    data = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    with simulated.serving() as url, tempfile.TemporaryDirectory() as folder:
        for provider in data["providers"].values():
            provider["api_base"] = url
            variable = f"ORCH_AUTH_{provider['auth_profile'].upper()}_API_KEY"
            os.environ[variable] = "demo-key-0123456789"
        config = Path(folder, CONFIG.name)
        config.write_text(yaml.safe_dump(data), encoding="utf-8", newline="\n")
        yield config


if __name__ == "__main__":
    sys.exit(main())
