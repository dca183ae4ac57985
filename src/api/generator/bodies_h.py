"""Writes api/bodies.hpp: the declarations of all bodies, whether written yet or not."""
import mpi_h
import rules
import table

HEAD = """\
// The bodies of MPI's functions, one for each function and its _c form: declared here, written by people in the
// folders bodies/. Made by the build; the contract is in src/api/README.md.
#pragma once

#include "objects/counts.hpp"
#include "objects/objects.hpp"

namespace cow::body {
"""


def declaration(function, large_twin, the_rules):
    result = "Error" if function.returns == "int" and not function.name.endswith("_toint") else function.returns
    parameters = ", ".join(f"{p.type}{'' if p.type.endswith('(*)[3]') else ' ' + p.name}"
                           for p in rules.body_parameters(function, large_twin, the_rules))
    parameters = parameters.replace("(*)[3]", "(*ranges)[3]")
    return f"{result} {function.short}({parameters});"


def generate(functions):
    the_rules = rules.Rules()
    by_name = {f.name: f for f in functions}
    lines = [HEAD]
    for chapter in table.chapter_titles():
        lines.append(f"// {chapter}")
        for f in functions:
            if f.chapter != chapter or f.small_twin or "body" in the_rules.of(f):
                continue
            lines.append(mpi_h.wrap(declaration(f, by_name.get(f.large_twin), the_rules), "    "))
        lines.append("")
    lines.append("}  // namespace cow::body\n")
    return "\n".join(lines)
