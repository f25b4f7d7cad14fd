"""docs/commands.md, docs/configuration.md and packaging/redis.conf say what the engine's tables say."""

from pathlib import Path

import pytest
from generated_docs import page

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.mark.parametrize("name", ["commands", "configuration"])
def test_generated_pages_are_up_to_date(name: str) -> None:
    assert (DOCS / f"{name}.md").read_text() == page(name), "run `make docs`"


def test_the_example_configuration_is_up_to_date() -> None:
    assert (ROOT / "packaging" / "redis.conf").read_text() == page("redis.conf"), "run `make docs`"
