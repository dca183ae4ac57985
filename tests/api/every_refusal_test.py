"""Every function that the library offers, with each of its arguments wrong in turn: null, freed and foreign handles,
negative counts, ranks and tags that do not exist, null pointers. Each call is refused with the right class, and the
message names the call and what is wrong. The functions come from the table, so that none is left out."""
import os
import re
import signal
import unittest

import every_call
import support
from every_call import constant

# What the standard allows, although the table makes it look wrong: functions, parameters, what, why.
ACCEPTED = [
    ("Abi_get_fortran_booleans", "logical_.*", "null pointer", "nothing is written as long as nothing was told"),
    ("Cart_shift", "disp", "-2", "shifts go both ways"),
    ("Win_create", "base", "null pointer", "a window of no bytes has none"),
    ("(Comm|Type|Win)_create_keyval|Keyval_create", ".*_fn", "null pointer", "the null copy and delete functions"),
    ("(Exscan|Iexscan|Exscan_init)", "recvbuf", ".*", "rank 0 receives nothing"),
    ("Dist_graph_neighbors", ".*weights", "null pointer", "the graph has no weights"),
    ("Free_mem|Get_address", "base|location", "null pointer", "null is an address"),
    ("Get_address", "location", "MPI_IN_PLACE", "every number is an address"),
    ("Info_create_env", "argv", "null pointer", "argc is 0"),
    ("Info_get_string|Session_get_nth_pset", "value|pset_name", "null pointer", "the length is 0"),
    ("Parrived|Request_get_status|Test|Wait", "request", "null", "a null request is done"),
    ("(Test|Wait|Request_get_status_)(all|any|some)", "array_of_requests", "null", "null requests are done"),
    ("P(send|recv)_init", "partitions", "9", "how many there are, not which"),
    ("Status_set_(source|tag)", "source|tag", ".*", "a status may hold any number"),
    ("Type_vector", "stride", "-1", "blocks may follow each other downwards"),
    ("Type_get_contents", "array_of_(addresses|large_counts)", "null pointer", "the type has none"),
]

# Functions without an argument that could be wrong, and those of the tool interface, which has classes of its own: tool.c.
NOTHING_TO_REFUSE = re.compile(
    r"T_.*|Init|Init_thread|Finalize|Abort|Pcontrol|Wtime|Wtick|Aint_(add|diff)|Buffer_flush|.*_(toint|fromint)")


def offered():
    missing = (support.SOURCE / "src/api/unsupported.txt").read_text(encoding="utf-8").split()
    return [f for f in every_call.table.read_functions() if f.name not in missing]


def why_accepted(function, p, what):
    for functions, names, how, why in ACCEPTED:
        if re.fullmatch(functions, function.short) and re.fullmatch(names, p.name) and re.fullmatch(how, what):
            return why
    return None


def says(text, function, p, what):
    """Whether the message names the call, and then the argument or its value."""
    call, _, reason = text.partition("): ")
    words = {"REQUEST": "request", "MESSAGE": "message", "KEYVAL": "keyval", "PARTITION": "partition"}
    named = p.name in reason or what in reason or words.get(p.kind, p.name) in reason
    return f"{function.name}(" in call and named


class Refusals:
    def __init__(self, library):
        self.library = library
        library.must("Init", 0, 0)
        for comm in ("COMM_WORLD", "COMM_SELF"):
            library.must("Comm_set_errhandler", constant(comm), constant("ERRORS_RETURN"))
        self.objects = every_call.Objects(library)

    def fault_of(self, function, arguments, p, what, classes):
        """What is not as it should be when one argument is wrong; None when the call is refused well."""
        code = self.library.call(function.short_c, *arguments)
        if code == 0:
            return None if why_accepted(function, p, what) else "accepted"
        text = self.library.text(code)
        if why_accepted(function, p, what):
            return f"refused, though it is allowed: {text}"
        if self.library.error_class(code) not in [constant(name) for name in classes]:
            return f"not {' or '.join(classes)}: {text}"
        return None if says(text, function, p, what) else f"the message does not name it: {text}"

    def faults(self, function):
        """(number of wrong arguments tried, what was not refused as it should be)"""
        right = [every_call.right(self.objects, function, p) for p in function.parameters]
        tried, found = 0, []
        for i, p in enumerate(function.parameters):
            for what, argument, classes in every_call.wrong(self.objects, function, p):
                tried += 1
                fault = self.fault_of(function, right[:i] + [argument] + right[i + 1:], p, what, classes)
                if fault:
                    found.append(f"{function.name}, {p.name} {what}: {fault}")
        return tried, found


class EveryFunction(unittest.TestCase):
    def apart(self, refusals, function):
        """In a process of its own, since a call that is not refused may crash or wait for ever."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            signal.alarm(100)
            tried, found = refusals.faults(function)
            os.write(writer, "\n".join([str(tried)] + found).encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as file:
            lines = file.read().splitlines()
        _, status = os.waitpid(child, 0)
        if status:
            return 1, [f"{function.name}: the process ended with {status}"]
        return int(lines[0]), lines[1:]

    def test_each_wrong_argument_is_refused(self):
        refusals = Refusals(every_call.Library(support.LIBRARY))
        found, calls, idle = [], 0, []
        for function in offered():
            if NOTHING_TO_REFUSE.fullmatch(function.short):
                continue
            tried, faults = self.apart(refusals, function)
            calls += tried
            found += faults
            if tried == 0:
                idle.append(function.name)
        self.assertEqual(found, [], "\n".join(found))
        self.assertEqual(idle, [], "no argument of these was made wrong")
        self.assertGreater(calls, 3000)


if __name__ == "__main__":
    unittest.main()
