"""What becomes of each parameter between the C function and its body.

The standard's kind of a parameter decides; what the standard says of a parameter in words only stands in
../table/overrides.tsv, whose rules are:
  body=NAME    the function is served by the body of another
  raw          the handle goes to the body as it is
  optional     the null handle is allowed: the body gets a pointer, which may be null
  required     MPI_INFO_NULL is not allowed
  too-large=undefined   an output that does not fit the small form's int becomes MPI_UNDEFINED (else: an error)
  own-check    the body checks the values, since their meaning needs other arguments
  may-be-negative   the value may be less than 0, although its kind is that of a count
  may-be-null  the pointer may be null
  root-only    the parameter is significant only at the root
  not-at-first the parameter is not significant at rank 0, unless the other buffer is MPI_IN_PLACE
  root         the rank of a root in a collective
  wildcard     MPI_ANY_SOURCE or MPI_ANY_TAG is allowed
  tells-form   the body gets one parameter more, `bool large`: the _c form was called
  any-address  the buffer may be any number, which is not followed
  any-time     the function may be called before MPI_Init and after MPI_Finalize
"""
import re
from dataclasses import dataclass, field

import table

OBJECTS = {  # kind of a handle: class of the object, error class of a bad handle
    "COMMUNICATOR": ("Comm", "comm"), "DATATYPE": ("Datatype", "type"), "OPERATION": ("Op", "op"),
    "GROUP": ("Group", "group"), "INFO": ("Info", "info"), "ERRHANDLER": ("Errhandler", "errhandler"),
    "WINDOW": ("Win", "win"), "FILE": ("File", "file"), "SESSION": ("Session", "session")}

COLLECTIVE_CHAPTERS = ("Collectives", "Neighborhood collectives")

# How an argument reaches the body
PLAIN, REFERENCE, POINTER, COUNTS, WIDEN, WIDE_OUT, POLY_FUNCTION, ABSENT, LARGE_FORM, SMALL_FORM = (
    "plain", "reference", "pointer", "counts", "widen", "wide_out", "poly_function", "absent", "large_form", "small_form")


@dataclass
class BodyParameter:
    type: str  # in the body's declaration
    name: str
    way: str
    parameter: object  # of the C function; None when the small form lacks it


@dataclass
class Rules:
    rows: list = field(default_factory=lambda: [row + [""] * (4 - len(row)) for row in table.read_rows("overrides.tsv")])

    def of(self, function, parameter=None):
        """The rules of a function, or of one of its parameters, as {rule: value}."""
        name = function.short
        found = {}
        for functions, parameters, rule, value in self.rows:
            if not re.fullmatch(functions, name):
                continue
            if (parameter is None) != (parameters == ""):
                continue
            if parameter is None or re.fullmatch(parameters, parameter.name):
                found[rule] = value
        return found

    def body_name(self, function):
        return self.of(function).get("body", function.short)


def is_collective(function):
    return function.chapter in COLLECTIVE_CHAPTERS


def is_poly(parameter):
    return parameter.kind.startswith("POLY") or parameter.kind.startswith("XFER_NUM_ELEM")


def decayed(parameter):
    """The parameter's type as the C language passes it."""
    if parameter.array == "[][3]":
        return f"{parameter.type} (*)[3]"
    if parameter.is_array:
        return parameter.type + ("*" if parameter.type.endswith("*") else " *")
    return parameter.type


def body_parameter(function, parameter, rules):
    """How one parameter of the small or only form reaches the body."""
    p, own = parameter, rules.of(function, parameter)
    scalar_handle = p.kind in OBJECTS and p.direction == "in" and not p.is_array and not p.type.endswith("*")
    if scalar_handle and "raw" not in own:
        name = OBJECTS[p.kind][0]
        by_pointer = (p.kind == "INFO" or "optional" in own or
                      (is_collective(function) and p.kind in ("DATATYPE", "OPERATION")))
        return BodyParameter(name + ("*" if by_pointer else "&"), p.name, POINTER if by_pointer else REFERENCE, p)
    if p.kind == "POLYFUNCTION":
        small = p.type.removesuffix(" *").removesuffix("_c")
        return BodyParameter(f"PolyFunction<{small}, {small}_c>", p.name, POLY_FUNCTION, p)
    if is_poly(p):
        if p.is_array:
            return BodyParameter("Counts", p.name, COUNTS, p)
        if p.direction == "in":
            return BodyParameter("MPI_Count", p.name, WIDEN, p)
        return BodyParameter("MPI_Count*", p.name, WIDE_OUT if p.type == "int *" else PLAIN, p)
    text = decayed(p).replace(" *", "*")
    return BodyParameter(text, p.name, PLAIN, p)


def body_parameters(function, large_twin, rules):
    """The body's parameters as `function` passes them. The body of a function with a _c form has the parameters of
    that form; what the small form lacks is passed as zero or null."""
    model = large_twin or function
    by_name = {p.name: p for p in function.parameters}
    result = []
    for wide in model.parameters:
        if wide.name == "...":
            continue
        own = by_name.get(wide.name)
        made = body_parameter(model, wide, rules)
        if own is None:
            result.append(BodyParameter(made.type, made.name, ABSENT, None))
            continue
        mine = body_parameter(function, own, rules)
        result.append(BodyParameter(made.type, made.name, mine.way, own))
    if "tells-form" in rules.of(function):
        result.append(BodyParameter("bool", "large", LARGE_FORM if function.small_twin else SMALL_FORM, None))
    return result
