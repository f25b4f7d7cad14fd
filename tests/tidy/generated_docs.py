"""Prints a generated page of docs/: `python generated_docs.py commands|configuration`."""

import sys

from rustypotato import _core


def page(name: str) -> str:
    return _core.docs(name)


if __name__ == "__main__":
    sys.stdout.write(page(sys.argv[1]))
