#!/usr/bin/env python3
"""Generates what the build needs of the API: see ../README.md. Run by CMake.

usage: generate.py headers OUTPUT-FOLDER        include/mpi.h and generated/api/bodies.hpp
"""
import sys
from pathlib import Path

import bodies_h
import mpi_h
import table


def write(path, text):
    """Writes a file, but leaves an equal one alone, so that nothing is compiled again for nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def main(arguments):
    command, folder = arguments[0], Path(arguments[1])
    functions, constants, types = table.read_functions(), table.read_constants(), table.read_types()
    if command == "headers":
        write(folder / "include/mpi.h", mpi_h.generate(functions, constants, types))
        write(folder / "generated/api/bodies.hpp", bodies_h.generate(functions))


if __name__ == "__main__":
    main(sys.argv[1:])
