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
 * The order: types, callbacks, constants, functions by chapter, their PMPI_ twins, conversions for Fortran,
 * names that were removed.
 */
#ifndef MPI_H_ABI
#define MPI_H_ABI

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How handles, special addresses and null pointers are written as constants. C knows one cast; the three of C++ say the
 * same without what its compilers warn of (-Wold-style-cast, -Wzero-as-null-pointer-constant). */
#ifndef __cplusplus
#define MPI_ABI_CAST(type, value) ((type) value)
#define MPI_ABI_NUMBER(type, value) ((type) value)
#define MPI_ABI_NULL(type) ((type) 0)
#else
#define MPI_ABI_CAST(type, value) reinterpret_cast<type>(value)
#define MPI_ABI_NUMBER(type, value) static_cast<type>(value)
#if __cplusplus >= 201103L
#define MPI_ABI_NULL(type) static_cast<type>(nullptr)
#else
#define MPI_ABI_NULL(type) static_cast<type>(0)
#endif
#endif

/* Parameter n is an address that the call does not read from: what is there may be filled later. */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11
#define MPI_ABI_UNREAD(n) __attribute__((access(none, n)))
#else
#define MPI_ABI_UNREAD(n)
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
    f_status[MPI_F_SOURCE] = c_status->MPI_SOURCE;
    f_status[MPI_F_TAG] = c_status->MPI_TAG;
    f_status[MPI_F_ERROR] = c_status->MPI_ERROR;
    for (i = 0; i < MPI_F_STATUS_SIZE - 3; ++i) f_status[3 + i] = c_status->MPI_internal[i];
    return MPI_SUCCESS;
}}
MPI_ABI_INLINE int {p}MPI_Status_f2c(const MPI_Fint *f_status, MPI_Status *c_status)
{{
    int i;
    c_status->MPI_SOURCE = f_status[MPI_F_SOURCE];
    c_status->MPI_TAG = f_status[MPI_F_TAG];
    c_status->MPI_ERROR = f_status[MPI_F_ERROR];
    for (i = 0; i < MPI_F_STATUS_SIZE - 3; ++i) c_status->MPI_internal[i] = f_status[3 + i];
    return MPI_SUCCESS;
}}
"""

REMOVED = """\
/* ---- Removed from the standard ----
 *
 * Each name stands for one that nothing declares, so that the compiler's error says what to write instead. To have
 * the names themselves, define COW_MPI1_NAMES, or include mpi_removed.h. A program may also define them on its own: before
 * this header as macros, and anywhere as functions. */
"""

TAIL = """\
#ifdef __cplusplus
}
#endif

#ifdef COW_MPI1_NAMES
#include "mpi_removed.h"
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


def value_of(constant, handles):
    if not constant.cast or constant.cast == "enum int":
        return f"({constant.value})" if constant.value.startswith("-") else constant.value
    cast = constant.cast.replace("*", " *", 1)
    if "*" not in cast and constant.cast not in handles:
        return f"MPI_ABI_NUMBER({cast}, {constant.value})"
    return f"MPI_ABI_NULL({cast})" if constant.number == 0 else f"MPI_ABI_CAST({cast}, {constant.value})"


def define(constant, handles):
    return f"#define {constant.name} ".ljust(ALIGNED) + value_of(constant, handles)


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


def constants_part(constants, handles):
    sections = table.section_titles()
    lines = []
    for c in constants:
        if c.name in sections:
            lines += ["", title(sections[c.name])]
        lines.append(define(c, handles))
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


def unread_marks(function):
    """Compilers take a call with a const pointer for one that reads there, and warn of what is not written before."""
    if not re.fullmatch(r"Get_address|\w+_init", function.short):
        return ""
    return "".join(f" MPI_ABI_UNREAD({number})" for number, p in enumerate(function.parameters, 1)
                   if p.type == "const void *" and not p.array)


def functions_part(functions, prefix=""):
    lines = []
    for chapter in table.chapter_titles():
        members = [f for f in functions if f.chapter == chapter]
        lines.append(title(f"{chapter} (profiling)" if prefix else chapter))
        for f in members:
            note = f" /* deprecated since {f.deprecated.replace('MPI-', 'MPI ')} */" if f.deprecated and not prefix else ""
            lines.append(wrap(f.prototype(prefix) + unread_marks(f) + ";") + note)
        lines.append("")
    return lines


def fortran_part():
    lines = [FORTRAN]
    for prefix in ("", "P"):
        for short, handle in FORTRAN_HANDLES:
            name = short.lower()
            lines.append(f"MPI_ABI_INLINE MPI_Fint {prefix}MPI_{short}_c2f({handle} {name}) "
                         f"{{ return {prefix}MPI_{short}_toint({name}); }}")
            lines.append(f"MPI_ABI_INLINE {handle} {prefix}MPI_{short}_f2c(MPI_Fint {name}) "
                         f"{{ return {prefix}MPI_{short}_fromint({name}); }}")
        lines.append(STATUS_CONVERSIONS.format(p=prefix))
    return lines


def removed_part(removed):
    lines = [REMOVED, "#ifndef COW_MPI1_NAMES"]
    for name, instead in removed:
        lines.append(f"#ifndef {name}\n#define {name} removed_{name}_use_{instead}_or_define_COW_MPI1_NAMES\n#endif")
    return lines + ["#endif\n"]


ENUMS = {"MPI_T_cb_safety": "MPI_T_CB_REQUIRE_", "MPI_T_source_order": "MPI_T_SOURCE_"}


def generate(functions, constants, types, removed):
    lines = [HEAD]
    lines += types_part(types)
    enumerators = set()
    for name, prefix in ENUMS.items():
        members = [c for c in constants if c.name.startswith(prefix)]
        enumerators.update(c.name for c in members)
        lines += enum_part(name, members)
    lines += callbacks_part(types)
    handles = {t.name for t in types if t.kind == "opaque handle"}
    lines += constants_part([c for c in constants if c.name not in enumerators], handles)
    lines += functions_part(functions)
    lines.append("/* The same functions under the names that a tool calls, which replaces some of those above. */\n")
    lines += functions_part(functions, "P")
    lines += fortran_part()
    lines += removed_part(removed)
    lines.append(TAIL)
    return "\n".join(lines)
