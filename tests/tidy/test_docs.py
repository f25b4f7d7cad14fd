"""docs/commands.md and docs/configuration.md say what the engine's tables say."""

from pathlib import Path

import pytest
from generated_docs import page

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["commands", "configuration"])
def test_generated_pages_are_up_to_date(name: str) -> None:
    assert (DOCS / f"{name}.md").read_text() == page(name), "run `make docs`"
