#!/usr/bin/env python3
"""Generates what the build needs of the API: see ../README.md. Run by CMake.

usage: generate.py headers FOLDER                           include/mpi.h and generated/api/bodies.hpp
       generate.py bindings FOLDER PARTS MPIX_H BODIES...   generated/api/: bindings_0.cpp …, names.cpp,
                                                            libmpi_abi.map, unsupported.txt, unsupported.inc
"""
import sys
from pathlib import Path

import bindings
import bodies_h
import exports
import mpi_h
import names
import scan
import table


def write(path, text):
    """Writes a file, but leaves an equal one alone, so that nothing is compiled again for nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def write_headers(folder):
    functions = table.read_functions()
    write(folder / "include/mpi.h", mpi_h.generate(functions, table.read_constants(), table.read_types(),
                                                   table.read_removed()))
    write(folder / "generated/api/bodies.hpp", bodies_h.generate(functions))


def write_bindings(folder, parts, mpix_h, bodies):
    functions = table.read_functions()
    built = scan.written_bodies(bodies)
    unknown = bindings.unknown_bodies(functions, built)
    if unknown:
        sys.exit(f"generate.py: no function of MPI is served by {', '.join('body::' + name for name in unknown)}")
    binder = bindings.Binder(functions, built)
    folder = folder / "generated/api"
    for number, part in enumerate(bindings.split(functions, parts)):
        write(folder / f"bindings_{number}.cpp", binder.file(part))
    write(folder / "names.cpp", names.generate(table.read_constants()))
    extensions = exports.extension_names(Path(mpix_h).read_text(encoding="utf-8"))
    write(folder / "libmpi_abi.map", exports.version_script(functions, extensions))
    unsupported = binder.unsupported_names()
    write(folder / "unsupported.txt", "".join(f"{name}\n" for name in unsupported))
    write(folder / "unsupported.inc", "".join(f'"{name}",\n' for name in unsupported))


def main(arguments):
    command, folder = arguments[0], Path(arguments[1])
    if command == "headers":
        write_headers(folder)
    elif command == "bindings":
        write_bindings(folder, int(arguments[2]), arguments[3], arguments[4:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
