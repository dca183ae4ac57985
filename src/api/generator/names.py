"""Writes names.cpp: the names of predefined handles and the texts of error classes, for messages."""
import table

HANDLES = ("MPI_Op", "MPI_Comm", "MPI_Group", "MPI_Win", "MPI_File", "MPI_Session", "MPI_Message", "MPI_Info",
           "MPI_Errhandler", "MPI_Request", "MPI_Datatype")

HEAD = """\
// Names for messages. Made by the build from src/api/table.
#include "api/report.hpp"

namespace cow::api {
"""


def handles(constants):
    rows = sorted((int(c.value, 16), c.name) for c in constants if c.cast in HANDLES)
    lines = ["const char* predefined_name(std::uintptr_t handle) {", "  switch (handle) {"]
    lines += [f'    case {value:#x}: return "{name}";' for value, name in rows]
    return lines + ["    default: return nullptr;", "  }", "}", ""]


def classes(constants):
    texts = dict(table.read_rows("errors.tsv"))
    known = {c.name for c in constants if c.name.startswith(("MPI_ERR_", "MPI_T_ERR_", "MPI_SUCCESS"))}
    known -= {"MPI_ERR_LASTCODE"}
    if known != set(texts):
        raise ValueError(f"errors.tsv and constants.tsv differ: {sorted(known ^ set(texts))}")
    lines = ["const char* class_text(int error_class) {", "  switch (error_class) {"]
    lines += [f'    case {name}: return "{name}: {text}";' for name, text in texts.items()]
    return lines + ["    default: return nullptr;", "  }", "}", ""]


def generate(constants):
    return "\n".join([HEAD] + handles(constants) + classes(constants) + ["}  // namespace cow::api\n"])
