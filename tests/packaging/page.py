"""The commands of docs/install.md, by their names: what a reader types is what the tests run."""
import os
import pathlib
import re

PAGE = pathlib.Path(os.environ["COW_SOURCE"]) / "docs/install.md"
BLOCK = re.compile(r"^<!-- try: ([^\n]+) -->\n```sh\n(.*?)^```$", re.M | re.S)


def commands(name):
    found = [block for title, block in BLOCK.findall(PAGE.read_text(encoding="utf-8")) if title == name]
    assert len(found) == 1, f"{PAGE.name} has {len(found)} blocks that are called {name}"
    return found[0]


def names():
    return {title for title, _ in BLOCK.findall(PAGE.read_text(encoding="utf-8"))}
