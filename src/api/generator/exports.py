"""Writes the linker's version script: the standard's names, their PMPI_ twins and those of mpix.h, nothing else."""
import re

PROTOTYPE = re.compile(r"^\w[\w *]*?\b(P?MPIX_\w+)\(", re.MULTILINE)


def extension_names(mpix_h):
    """The functions declared in mpix.h, each at the start of a line."""
    return PROTOTYPE.findall(re.sub(r"/\*.*?\*/", "", mpix_h, flags=re.DOTALL))


def version_script(functions, extensions):
    names = [prefix + f.name for f in functions for prefix in ("", "P")] + extensions
    return "{\n  global:\n" + "".join(f"    {name};\n" for name in sorted(names)) + "  local:\n    *;\n};\n"
