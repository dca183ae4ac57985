"""Writes mpi.h: the C header of the MPI 5.0 standard ABI."""
import re

import table

WIDTH = 110

HEAD = """\
/* mpi.h: the C interface of MPI 5.0, with the standard ABI (chapter 20 of the standard).
 *
 * Programs compiled with this header run on every library that offers libmpi_abi.so.1. Made by the build from the
 * tables in src/api/table; extensions of COW MPI are in mpix.h.
 *
 * The order: types, callbacks, constants, functions by chapter, their PMPI_ twins, conversions for Fortran.
 */
#ifndef MPI_H_ABI
#define MPI_H_ABI

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
"""

FORTRAN = """\
/* ---- Conversions for Fortran ---- */

/* An INTEGER of Fortran. Programs whose Fortran compiler makes it wider set MPI_ABI_FINT. */
#ifndef MPI_ABI_FINT
#define MPI_ABI_FINT int
#endif
typedef MPI_ABI_FINT MPI_Fint;

#if defined(__cplusplus) || (defined(__STDC_VERSION__) && __STDC_VERSION__ >= 199901L)
#define MPI_ABI_INLINE static inline
#elif defined(__GNUC__)
#define MPI_ABI_INLINE static __inline__
#else
#define MPI_ABI_INLINE static
#endif
"""

STATUS_CONVERSIONS = """\
/* A status in Fortran is MPI_F_STATUS_SIZE integers: source, tag, error, and what is the library's own. */
MPI_ABI_INLINE int {p}MPI_Status_c2f(const MPI_Status *c_status, MPI_Fint *f_status)
{{
    int i;
    f_status[MPI_F_SOURCE] = (MPI_Fint) c_status->MPI_SOURCE;
    f_status[MPI_F_TAG] = (MPI_Fint) c_status->MPI_TAG;
    f_status[MPI_F_ERROR] = (MPI_Fint) c_status->MPI_ERROR;
    for (i = 0; i < MPI_F_STATUS_SIZE - 3; ++i) f_status[3 + i] = (MPI_Fint) c_status->MPI_internal[i];
    return MPI_SUCCESS;
}}
MPI_ABI_INLINE int {p}MPI_Status_f2c(const MPI_Fint *f_status, MPI_Status *c_status)
{{
    int i;
    c_status->MPI_SOURCE = (int) f_status[MPI_F_SOURCE];
    c_status->MPI_TAG = (int) f_status[MPI_F_TAG];
    c_status->MPI_ERROR = (int) f_status[MPI_F_ERROR];
    for (i = 0; i < MPI_F_STATUS_SIZE - 3; ++i) c_status->MPI_internal[i] = (int) f_status[3 + i];
    return MPI_SUCCESS;
}}
"""

TAIL = """\
#ifdef __cplusplus
}
#endif

#endif /* MPI_H_ABI */
"""

FORTRAN_HANDLES = [  # the name in the functions, and the type
    ("Comm", "MPI_Comm"), ("Errhandler", "MPI_Errhandler"), ("File", "MPI_File"), ("Group", "MPI_Group"),
    ("Info", "MPI_Info"), ("Message", "MPI_Message"), ("Op", "MPI_Op"), ("Request", "MPI_Request"),
    ("Session", "MPI_Session"), ("Type", "MPI_Datatype"), ("Win", "MPI_Win")]

ALIGNED = 42  # the column at which the values of constants begin


def title(text):
    return f"/* ---- {text} ---- */\n"


def value_of(constant):
    if not constant.cast or constant.cast == "enum int":
        return f"({constant.value})" if constant.value.startswith("-") else constant.value
    space = " " if constant.cast.endswith("*") else ""
    cast = constant.cast.replace("*", " *", 1) if space else constant.cast
    return f"(({cast}) {constant.value})"


def define(constant):
    return f"#define {constant.name} ".ljust(ALIGNED) + value_of(constant)


def types_part(types):
    lines = [title("Types")]
    for t in types:
        if t.kind == "alias" and t.definition.endswith("_t"):
            lines.append(f"typedef {t.definition} {t.name};".ljust(ALIGNED) + {
                "MPI_Aint": "/* an address, or a distance in bytes */",
                "MPI_Offset": "/* a place in a file */",
                "MPI_Count": "/* a number of elements or bytes */"}[t.name])
    lines.append("\n/* Handles: small integers for the predefined objects, else opaque. */")
    for t in types:
        if t.kind == "opaque handle":
            lines.append(f"typedef struct {t.definition.split()[-1]} *{t.name};")
    lines += ["", "typedef struct MPI_Status {", "    int MPI_SOURCE;", "    int MPI_TAG;", "    int MPI_ERROR;",
              "    int MPI_internal[5];", "} MPI_Status;", ""]
    return lines


def enum_part(name, constants):
    rows = [f"    {c.name} = {c.value}" for c in constants]
    return [f"typedef enum {name} {{", ",\n".join(rows), f"}} {name};", ""]


def callbacks_part(types):
    lines = [title("Callbacks")]
    for t in types:
        if t.kind == "function type":
            result, arguments = t.definition.split(" ", 1)
            note = " /* deprecated */" if "deprecated" in t.flags else ""
            lines.append(wrap(f"typedef {result} {t.name}{arguments};") + note)
    lines.append("")
    lines += [f"typedef {t.definition} {t.name};" for t in types
              if t.kind == "alias" and t.definition.startswith("MPI_")]
    return lines + [""]


def constants_part(constants):
    sections = table.section_titles()
    lines = []
    for c in constants:
        if c.name in sections:
            lines += ["", title(sections[c.name])]
        lines.append(define(c))
    return lines[1:] + [""]


def wrap(text, indent="        "):
    """Breaks long lines between parameters."""
    if "\n" in text:
        return "\n".join(wrap(line, indent) for line in text.split("\n"))
    lines = [""]
    for piece in re.split(r"(?<=,) ", text):
        if lines[-1] and len(lines[-1]) + 1 + len(piece) > WIDTH:
            lines.append(indent + piece)
        else:
            lines[-1] += (" " if lines[-1] else "") + piece
    return "\n".join(lines)


def functions_part(functions, prefix=""):
    lines = []
    for chapter in table.chapter_titles():
        members = [f for f in functions if f.chapter == chapter]
        lines.append(title(f"{chapter} (profiling)" if prefix else chapter))
        for f in members:
            note = f" /* deprecated since {f.deprecated.replace('MPI-', 'MPI ')} */" if f.deprecated and not prefix else ""
            lines.append(wrap(f.prototype(prefix) + ";") + note)
        lines.append("")
    return lines


def fortran_part():
    lines = [FORTRAN]
    for prefix in ("", "P"):
        for short, handle in FORTRAN_HANDLES:
            name = short.lower()
            lines.append(f"MPI_ABI_INLINE MPI_Fint {prefix}MPI_{short}_c2f({handle} {name}) "
                         f"{{ return (MPI_Fint) {prefix}MPI_{short}_toint({name}); }}")
            lines.append(f"MPI_ABI_INLINE {handle} {prefix}MPI_{short}_f2c(MPI_Fint {name}) "
                         f"{{ return {prefix}MPI_{short}_fromint((int) {name}); }}")
        lines.append(STATUS_CONVERSIONS.format(p=prefix))
    return lines


ENUMS = {"MPI_T_cb_safety": "MPI_T_CB_REQUIRE_", "MPI_T_source_order": "MPI_T_SOURCE_"}


def generate(functions, constants, types):
    lines = [HEAD]
    lines += types_part(types)
    enumerators = set()
    for name, prefix in ENUMS.items():
        members = [c for c in constants if c.name.startswith(prefix)]
        enumerators.update(c.name for c in members)
        lines += enum_part(name, members)
    lines += callbacks_part(types)
    lines += constants_part([c for c in constants if c.name not in enumerators])
    lines += functions_part(functions)
    lines.append("/* The same functions under the names that a tool calls, which replaces some of those above. */\n")
    lines += functions_part(functions, "P")
    lines += fortran_part()
    lines.append(TAIL)
    return "\n".join(lines)
