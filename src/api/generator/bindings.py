"""Writes the exported functions: PMPI_X, with MPI_X as a weak name of the same."""
import checks
import mpi_h
import rules
import table

HEAD = """\
// Exported functions of MPI. Made by the build from src/api/table; see src/api/README.md.
#pragma GCC visibility push(default)
#include <mpi.h>
#pragma GCC visibility pop

#include "api/bodies.hpp"
#include "api/checks.hpp"
#include "api/memory.hpp"
#include "api/report.hpp"
#include "pt2pt/fast_path.hpp"
#include "runtime/lock.hpp"

using namespace cow;
using namespace cow::api;

"""

# Functions with a short path before all else (pt2pt/fast_path.hpp), by the name of their body: what returns when it can be
# gone. It checks what it relies on; whatever is not plain, errors included, is left to the binding proper.
SHORT_SEND = "pt2pt::begin_short(buf, count, datatype, dest, tag, comm)"
SHORT = {
    "Send": f"if (auto* link_ = {SHORT_SEND}) [[likely]] return pt2pt::end_short(*link_);",
    "Isend": f"if (auto* link_ = request ? {SHORT_SEND} : nullptr) [[likely]] {{ *request = pt2pt::sent_handle(); "
             "return pt2pt::end_short(*link_); }",
    "Recv": "if (pt2pt::receive_short(buf, count, datatype, source, tag, comm, status)) [[likely]] return MPI_SUCCESS;",
    "Irecv": "if (pt2pt::post_short(buf, count, datatype, source, tag, comm, request)) [[likely]] return MPI_SUCCESS;",
    "Wait": "if (pt2pt::wait_short(request, status)) [[likely]] return MPI_SUCCESS;",
}

# The letters of api/report.hpp's Kind.
MESSAGE_KINDS = {"RANK": "r", "RANK_NNI": "r", "TAG": "t", "BUFFER": "b", "STRING": "s", "COMMUNICATOR": "c",
                 "DATATYPE": "d", "OPERATION": "o", "GROUP": "g", "INFO": "n", "ERRHANDLER": "e", "WINDOW": "w",
                 "FILE": "f", "SESSION": "S", "REQUEST": "q", "MESSAGE": "m"}
INTEGER, POINTER, STATUS, STATUSES = "i", "p", "u", "v"


def message_kind(p):
    """How the argument is written in a message."""
    if p.kind == "STATUS":
        return STATUSES if p.is_array or p.name.startswith("array_of") else STATUS
    if p.kind == "BUFFER" or (p.kind == "STRING" and p.direction == "in"):
        return MESSAGE_KINDS[p.kind]
    if p.is_array or p.type.endswith("*") or p.kind.startswith(("EVENT_", "FUNCTION")):
        return POINTER
    is_handle = p.type.startswith("MPI_T_") and "_cb_safety" not in p.type
    return MESSAGE_KINDS.get(p.kind, POINTER if is_handle else INTEGER)


def named(function):
    return [p for p in function.parameters if p.name != "..."]


def signature_of(function):
    """The text that messages are made from: see api/report.hpp, Signature."""
    words = [function.name] + [f"{message_kind(p)}:{p.name}" for p in named(function)]
    return [f'constexpr char signature_{function.short_c}[] = "{" ".join(words)}";']


def target_of(function):
    """The object whose error handler hears of errors."""
    if function.chapter == "Files" or function.name.startswith("MPI_File_"):
        handle = next((p for p in function.parameters if p.kind == "FILE" and p.direction in ("in", "inout")), None)
        return f"target({handle.name})" if handle else "target(MPI_FILE_NULL)"
    for p in function.parameters:
        if p.kind in ("COMMUNICATOR", "WINDOW", "SESSION") and p.direction in ("in", "inout") and not p.is_array:
            return f"target({p.name})"
    handler = next((p for p in function.parameters if p.kind == "ERRHANDLER" and p.direction == "in"), None)
    made = next((p for p in function.parameters if p.kind in ("COMMUNICATOR", "SESSION") and p.direction == "out"), None)
    return f"target_of_new({handler.name}, {made.name})" if handler and made else "target()"


def words_of(function):
    parameters = named(function)
    if not parameters:
        return "nullptr", []
    return "words_", ["    const Word words_[] = {" + ", ".join(f"word({p.name})" for p in parameters) + "};"]


def object_type(p):
    return rules.OBJECTS[p.kind][0]


def passed(b):
    """The expression that the body gets for one of its parameters."""
    name = b.parameter.name if b.parameter else ""
    return {rules.PLAIN: name, rules.WIDEN: name, rules.COUNTS: name, rules.POLY_FUNCTION: name,
            rules.REFERENCE: f"*{name}_", rules.POINTER: f"{name}_", rules.WIDE_OUT: f"&{name}_",
            rules.LARGE_FORM: "true", rules.SMALL_FORM: "false",
            rules.ABSENT: "nullptr" if b.type.endswith("*") else "0"}[b.way]


def looked_up(parameters):
    """The parameters whose object is looked up first."""
    return [b for b in parameters if b.way in (rules.REFERENCE, rules.POINTER)]


class Binder:
    def __init__(self, functions, built):
        self.functions = {f.name: f for f in functions}
        self.rules = rules.Rules()
        self.built = built

    def is_built(self, function):
        return self.rules.body_name(function) in self.built

    def parameters(self, function):
        twin = self.functions.get(function.large_twin)
        return rules.body_parameters(function, twin, self.rules)

    def signature(self, function):
        return function.prototype("P") + " {"

    def unsupported(self, function):
        if function.returns != "int":
            raise ValueError(f"{function.name} cannot answer an error: it needs a body")
        value, words = words_of(function)
        return [self.signature(function), "  runtime::Guard guard_;"] + [w[2:] for w in words] + [
            f"  return unsupported(signature_{function.short_c}, {target_of(function)}, {value});", "}"]

    def direct(self, function):
        """A function whose result is not an error code."""
        arguments = ", ".join(passed(b) for b in self.parameters(function))
        return [self.signature(function), f"  return body::{self.rules.body_name(function)}({arguments});", "}"]

    def shortened(self, function):
        """The binding proper under another name, and before it the short path. The binding proper is not jumped to but
        called, so that whoever walks the stack finds the function of MPI that the program is in (objects/origin.cpp)."""
        slow = f"slow_{function.short_c}("
        own_name = f"P{function.name}("
        body = self.bound(function)
        arguments = ", ".join(p.name for p in function.parameters)
        return ["[[gnu::noinline]] static " + body[0].replace(own_name, slow), *body[1:], self.signature(function),
                "  " + SHORT[self.rules.body_name(function)], f"  int result_ = {slow}{arguments});",
                '  __asm__("" : "+r"(result_));', "  return result_;", "}"]

    def bound(self, function):
        own = self.rules.of(function)
        parameters = self.parameters(function)
        lines = [self.signature(function)]
        early = "any-time" in own
        if "no-lock" not in own:
            lines.append(f"  runtime::{'AlwaysGuard' if early else 'Guard'} guard_;")
        if early and looked_up(parameters):
            lines.append("  if (mode == Mode::not_running) [[unlikely]] prepare_early_call();")
        for b in looked_up(parameters):
            lines.append(f"  {object_type(b.parameter)}* const {b.parameter.name}_ = find({b.parameter.name});")
        lines += self.check_lines(function, parameters, early)
        wide = [b.parameter for b in parameters if b.way == rules.WIDE_OUT]
        for p in wide:
            initial = f"error_ ? 0 : *{p.name}" if p.direction == "inout" else "0"
            lines.append(f"  MPI_Count {p.name}_ = {initial};")
        call = f"body::{self.rules.body_name(function)}({', '.join(passed(b) for b in parameters)})"
        lines += ["  if (!error_) [[likely]] try {", f"    error_ = {call};", "  } catch (const NoMemory&) {",
                  "    error_ = no_memory();", "  }"]
        for p in wide:
            way = "narrow_or_undefined" if self.rules.of(function, p).get("too-large") == "undefined" else "narrow"
            lines.append(f'  if (!error_) error_ = {way}({p.name}_, {p.name}, "{p.name}");')
        value, words = words_of(function)
        report = f"report(signature_{function.short_c}, error_, {target_of(function)}, {value})"
        return lines + ["  if (error_) [[unlikely]] {"] + words + [f"    return {report};", "  }",
                                                                   "  return MPI_SUCCESS;", "}"]

    def check_lines(self, function, parameters, early):
        tests = checks.tests(function, parameters, self.rules)
        refused = "forked" if "own-process" in self.rules.of(function) else "" if early else "mode == Mode::not_running"
        if not refused and not tests:
            return ["  Error error_;"]
        lines = ["  Error error_ = [&]() -> Error {",
                 "    if (mode == Mode::unchecked) return success;"] if tests else ["  Error error_;"]
        if not tests:
            return lines + [f"  if ({refused}) [[unlikely]] error_ = refuse_call();"]
        if refused:
            lines.append(f"    if ({refused}) [[unlikely]] return refuse_call();")
        for condition, test in tests:
            lines.append(f"    {f'if ({condition}) ' if condition else ''}"
                         f"{'{ ' if condition else ''}if (Error e = {test}) return e;{' }' if condition else ''}")
        return lines + ["    return success;", "  }();"]

    def function(self, function):
        lines = signature_of(function) if function.returns == "int" and not function.name.endswith("_toint") else []
        if not self.is_built(function):
            lines += self.unsupported(function)
        elif function.returns != "int" or function.name.endswith("_toint"):
            lines += self.direct(function)
        elif self.rules.body_name(function) in SHORT:
            lines += self.shortened(function)
        else:
            lines += self.bound(function)
        lines.append(f'{function.prototype()} __attribute__((weak, alias("P{function.name}")));')
        return [mpi_h.wrap(line, "    ") for line in lines] + [""]

    def file(self, functions):
        lines = [HEAD]
        for f in functions:
            lines += self.function(f)
        return "\n".join(lines)

    def unsupported_names(self):
        return [f.name for f in self.functions.values() if not self.is_built(f)]


def unknown_bodies(functions, built):
    """Bodies that no function asks for: misspelt, most likely."""
    the_rules = rules.Rules()
    return sorted(built - {the_rules.body_name(f) for f in functions})


def split(functions, parts):
    """Cuts the functions into `parts` lists of about the same length."""
    step = -(-len(functions) // parts)
    return [functions[i * step:(i + 1) * step] for i in range(parts)]


__all__ = ["Binder", "split", "table", "unknown_bodies"]
