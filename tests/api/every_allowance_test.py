"""What the standard allows although it may look wrong is accepted: every function that the library offers with nothing to
move (null buffers, counts of zero, displacements below zero) and with empty lists (lengths of zero, null arrays), and
negative strides and keys, undefined values and the like, kind by kind. The functions come from the table."""
import os
import re
import signal
import unittest

import every_call
import rules
import support
from checks import LENGTHS, is_count
from every_call import WIDE, constant, numbers

# Functions whose lists cannot be empty, and why.
NEVER_EMPTY = [
    ("Type_create_(darray|subarray)", "one dimension at least"),
    ("Cart_(coords|get)|Graph_(get|neighbors)|Dist_graph_neighbors", "the topology of the test has some"),
    ("Info_get.*|Info_create_env", "lengths of text"),
    ("T_.*", "there is nothing whose members could be asked for"),
    ("Graph_map", "a graph of no nodes has no place for this rank"),
]

UNDEFINED, NOBODY = constant("UNDEFINED"), constant("PROC_NULL")


def backwards(p):
    return numbers(p, -5, -9)


# Functions, and arguments that each of them accepts in place of what is right otherwise; numbers, or made of the parameter.
ODD = [
    ("Type_vector", {"stride": -1}),
    ("Type_vector", {"count": 3, "blocklength": 2, "stride": -1000}),
    ("Type_vector", {"count": 0, "stride": -1}),
    ("Type_vector", {"blocklength": 0, "stride": 0}),
    ("Type_create_hvector", {"stride": -1}),
    ("Type_create_hvector", {"count": 3, "stride": -8}),
    ("Type_(indexed|create_(hindexed|indexed_block|hindexed_block|struct))", {"array_of_displacements": backwards}),
    ("Type_create_resized", {"lb": -7, "extent": -3}),
    ("Type_create_resized", {"extent": 0}),
    ("Type_create_f90_(real|complex)", {"p": UNDEFINED}),
    ("Type_create_f90_(real|complex)", {"r": UNDEFINED}),
    ("Comm_split|Comm_split_type", {"key": -12}),
    ("Comm_split", {"color": UNDEFINED}),
    ("Comm_split_type", {"split_type": UNDEFINED, "key": -1}),
    ("Cart_shift", {"disp": -3}),
    ("Cart_shift", {"disp": 0}),
    ("Cart_create", {"ndims": 0, "dims": 0, "periods": 0}),
    ("Cart_map", {"ndims": 0, "dims": 0, "periods": 0}),
    ("Graph_create", {"nnodes": 0, "indx": 0, "edges": 0}),
    ("Group_translate_ranks", {"ranks1": lambda p: numbers(p, NOBODY)}),
    ("Group_range_(in|ex)cl", {"ranges": lambda p: numbers(p, 0, 0, -4)}),
    ("Pcontrol", {"level": -1}),
    ("Abi_get_fortran_booleans", {"logical_size": 8}),
    ("Dist_graph_create", {"weights": constant("UNWEIGHTED")}),
    ("Dist_graph_create", {"n": 0, "sources": 0, "degrees": 0, "destinations": 0, "weights": constant("WEIGHTS_EMPTY")}),
    ("Dist_graph_create_adjacent", {"indegree": 0, "sources": 0, "sourceweights": constant("WEIGHTS_EMPTY"),
                                    "outdegree": 0, "destinations": 0, "destweights": constant("WEIGHTS_EMPTY")}),
    ("Alloc_mem", {"size": 0}),
    ("(Comm_|Type_)set_attr|Attr_put", {"attribute_val": 0}),
    ("(Comm|Type|Win)_create_keyval|Keyval_create", {"extra_state": 0}),
    ("Status_set_(source|tag|error)", {"source": -99, "tag": -99, "error": -99}),
    ("Status_set_cancelled", {"flag": -1}),
    ("(Exscan|Iexscan|Exscan_init)", {"recvbuf": 0}),
    ("(Send|Bsend|Rsend|Ssend|Isend|Recv|Irecv|Sendrecv.*)(_init)?", {"dest": NOBODY, "source": NOBODY}),
    ("(Recv|Irecv|Probe|Iprobe|Mprobe|Improbe)(_init)?", {"source": NOBODY, "tag": constant("ANY_TAG")}),
    ("(Iprobe|Irecv|Recv_init|Improbe)", {"source": constant("ANY_SOURCE"), "tag": constant("ANY_TAG")}),
]


def offered():
    missing = (support.SOURCE / "src/api/unsupported.txt").read_text(encoding="utf-8").split()
    return [f for f in every_call.table.read_functions() if f.name not in missing]


def moves_data(function):
    return any(p.kind == "BUFFER" for p in function.parameters) and any(is_count(p) for p in function.parameters)


def nothing(function, p):
    """An argument of a call that moves nothing; None: what is right otherwise."""
    if p.kind == "BUFFER":
        return 0
    if is_count(p) and p.kind != "POLYNUM_BYTES_NNI":
        return numbers(p, 0, 0) if p.is_array else 0
    if "DISPLACEMENT" in p.kind and p.is_array:
        return backwards(p)
    if p.kind == "RANK" and function.chapter == "Point to point":
        return NOBODY
    if p.kind == "MESSAGE":
        return WIDE(constant("MESSAGE_NO_PROC"))
    return None


def lists(function):
    """The lengths of lists that a call may leave empty."""
    if any(re.fullmatch(names, function.short) for names, _ in NEVER_EMPTY):
        return []
    return [p for p in function.parameters if p.direction == "in" and p.type == "int" and
            (p.kind in LENGTHS or p.kind == "POLYDTYPE_NUM_ELEM_NNI" and function.short.startswith("Type_") and
             any(q.name.startswith("array_of") for q in function.parameters))]


def empty(function, p):
    if p in lists(function) or p.name == "count":
        return 0
    return 0 if p.is_array else None


class Allowances:
    def __init__(self, library):
        self.library = library
        library.must("Init", 0, 0)
        for comm in ("COMM_WORLD", "COMM_SELF"):
            library.must("Comm_set_errhandler", constant(comm), constant("ERRORS_RETURN"))
        self.objects = every_call.Objects(library)

    def call(self, function, instead):
        """The text of the error of a call; None: it was accepted. `instead`: an argument for a parameter, or None."""
        arguments = []
        for p in function.parameters:
            own = instead(p)
            arguments.append(every_call.right(self.objects, function, p) if own is None else own)
        code = self.library.call(function.short_c, *arguments)
        return self.library.text(code) if code else None


def odd_argument(chosen, p):
    value = chosen.get(p.name)
    return value(p) if callable(value) else value


class EveryAllowance(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.allowances = Allowances(every_call.Library(support.LIBRARY))

    def accepted(self, function, instead):
        """In a process of its own, since a call that is not understood may crash or wait for ever."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            os.write(writer, (self.allowances.call(function, instead) or "").encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as file:
            said = file.read()
        _, status = os.waitpid(child, 0)
        return [f"{function.name}: {said or f'the process ended with {status}'}"] if said or status else []

    def test_nothing_to_move(self):
        refused, tried = [], 0
        for function in offered():
            if moves_data(function) and "attach" not in function.short:
                tried += 1
                refused += self.accepted(function, lambda p, f=function: nothing(f, p))
        self.assertEqual(refused, [], "\n".join(refused))
        self.assertGreater(tried, 150)

    def test_empty_lists(self):
        refused, tried = [], 0
        for function in offered():
            if lists(function) and not moves_data(function):
                tried += 1
                refused += self.accepted(function, lambda p, f=function: empty(f, p))
        self.assertEqual(refused, [], "\n".join(refused))
        self.assertGreater(tried, 20)

    def test_odd_values(self):
        refused = []
        for names, chosen in ODD:
            functions = [f for f in offered() if re.fullmatch(names, f.short) and f.returns == "int"]
            self.assertTrue(functions, names)
            for function in functions:
                refused += self.accepted(function, lambda p, c=chosen: odd_argument(c, p))
        self.assertEqual(refused, [], "\n".join(refused))


if __name__ == "__main__":
    unittest.main()
