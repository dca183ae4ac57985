"""Finds the bodies that are written."""
import re

DEFINITION = re.compile(r"^[A-Za-z_][\w:<> *&]*?\bbody::(\w+)\(", re.MULTILINE)


def written_bodies(files):
    """The names of the bodies defined in the files; a body defined twice is an error."""
    found = {}
    for file in files:
        with open(file, encoding="utf-8") as stream:
            for name in DEFINITION.findall(stream.read()):
                if name in found:
                    raise ValueError(f"body::{name} is defined in {found[name]} and in {file}")
                found[name] = file
    return set(found)
