from __future__ import annotations

import pytest
import tidy_tree


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if tidy_tree.report:
        terminalreporter.section("sizes over the guide line (a report, not a failure)")
        for line in tidy_tree.report:
            terminalreporter.write_line(line)
