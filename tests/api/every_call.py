"""Calls any function of the library with arguments that its row of the table describes: right ones, and wrong ones one
at a time. Works on a job of one process, through ctypes. What is right or wrong for a parameter follows from the
standard's kind of it; OWN holds what the kind does not tell."""
import ctypes
import re

import rules
import table

POINTER, INT, WIDE = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
CONSTANTS = {c.name: c for c in table.read_constants()}


def constant(name):
    row = CONSTANTS["MPI_" + name]
    return row.number if row.number is not None else constant(row.value.removeprefix("MPI_"))


def c_type(p):
    word = p.type.removeprefix("const ")
    is_handle = word.startswith("MPI_") and word not in ("MPI_Aint", "MPI_Count", "MPI_Offset")
    if p.is_array or word.endswith("*") or is_handle:
        return POINTER
    return INT if word == "int" else WIDE


def element_type(p):
    """Of an array, or of what a pointer points at."""
    return INT if p.type.removeprefix("const ").removesuffix("*").strip() == "int" else WIDE


CALLBACK = ctypes.CFUNCTYPE(INT, POINTER, POINTER, POINTER, POINTER, POINTER)
KEPT_CALLBACK = CALLBACK(lambda *arguments: 0)
CALLBACK_ADDRESS = ctypes.cast(KEPT_CALLBACK, POINTER).value


class Library:
    def __init__(self, path):
        self.handle = ctypes.CDLL(path)
        self.functions = {f.name: f for f in table.read_functions()}

    def call(self, name, *arguments):
        """The result of a function. Arguments: numbers, or objects of ctypes, whose address is passed."""
        function = self.functions["MPI_" + name]
        entry = getattr(self.handle, function.name)
        entry.restype = INT
        entry.argtypes = [c_type(p) for p in function.parameters if p.name != "..."]
        return entry(*[a if isinstance(a, int) else ctypes.addressof(a) for a in arguments])

    def must(self, name, *arguments):
        code = self.call(name, *arguments)
        if code != 0:
            raise AssertionError(f"{name}: {self.text(code)}")

    def made(self, name, *arguments):
        """What a function writes through its last parameter."""
        out = WIDE(0)
        self.must(name, *arguments, out)
        return out.value

    def text(self, code):
        text, length = ctypes.create_string_buffer(constant("MAX_ERROR_STRING")), INT()
        self.call("Error_string", code, text, length)
        return text.value.decode()

    def error_class(self, code):
        out = INT(-1)
        self.call("Error_class", code, out)
        return out.value


WORD_OF_KIND = {"COMMUNICATOR": "COMM", "DATATYPE": "DATATYPE", "OPERATION": "OP", "GROUP": "GROUP", "INFO": "INFO",
                "ERRHANDLER": "ERRHANDLER", "SESSION": "SESSION", "REQUEST": "REQUEST", "MESSAGE": "MESSAGE",
                "WINDOW": "WIN", "FILE": "FILE"}
CLASS_OF_KIND = {kind: "ERR_" + error.upper() for kind, (_, error) in rules.OBJECTS.items()}
CLASS_OF_KIND.update(REQUEST="ERR_REQUEST", MESSAGE="ERR_REQUEST")


class Objects:
    """A live object of each kind, one that was freed, and others that some functions need."""

    def __init__(self, lib):
        own, integer, nobody = constant("COMM_SELF"), constant("INT"), constant("PROC_NULL")
        ones, zeros = (INT * 2)(1, 1), (INT * 2)(0, 0)
        null_info, unweighted = constant("INFO_NULL"), constant("UNWEIGHTED")
        whole = lib.made("Comm_group", own)
        makers = {
            "COMMUNICATOR": (lambda: lib.made("Comm_dup", own), "Comm_free"),
            "DATATYPE": (lambda: lib.made("Type_contiguous", 1, integer), "Type_free"),
            "OPERATION": (lambda: lib.made("Op_create", CALLBACK_ADDRESS, 1), "Op_free"),
            "GROUP": (lambda: lib.made("Group_incl", whole, 1, zeros), "Group_free"),
            "INFO": (lambda: lib.made("Info_create"), "Info_free"),
            "ERRHANDLER": (lambda: lib.made("Comm_create_errhandler", CALLBACK_ADDRESS), "Errhandler_free"),
            "SESSION": (lambda: lib.made("Session_init", null_info, constant("ERRORS_RETURN")), "Session_finalize"),
            "WINDOW": (lambda: lib.made("Win_create", ones, 8, 4, null_info, own), "Win_free"),
            "REQUEST": (lambda: lib.made("Recv_init", ones, 1, integer, nobody, 1, own), "Request_free")}
        self.live, self.freed = {}, {}
        for kind, (make, free) in makers.items():
            self.live[kind] = make()
            self.freed[kind] = make()
            lib.must(free, WIDE(self.freed[kind]))
        lib.must("Win_set_errhandler", self.live["WINDOW"], constant("ERRORS_RETURN"))
        lib.must("Win_fence", 0, self.live["WINDOW"])  # its accesses are allowed
        self.raw_type = lib.made("Type_contiguous", 1, integer)
        self.null = {kind: constant(word + "_NULL") for kind, word in WORD_OF_KIND.items()}
        self.cart = lib.made("Cart_create", own, 1, ones, ones, 0)
        self.graph = lib.made("Graph_create", own, 1, ones, zeros, 0)
        edges = (2, zeros, unweighted)
        self.dist_graph = lib.made("Dist_graph_create_adjacent", own, *edges, *edges, null_info, 0)
        self.partitioned = lib.made("Psend_init", ones, 2, 1, integer, nobody, 1, own, null_info)
        self.partitioned_in = lib.made("Precv_init", ones, 2, 1, integer, nobody, 1, own, null_info)
        self.generalized = lib.made("Grequest_start", *[CALLBACK_ADDRESS] * 3, 0)
        self.keyval = {}
        for kind in ("Comm", "Type", "Win"):
            out = INT()
            lib.must(kind + "_create_keyval", 0, 0, out, 0)
            self.keyval[kind] = out.value
        lib.must("Start", WIDE(self.partitioned))
        lib.must("Start", WIDE(self.partitioned_in))
        lib.must("Info_set", self.live["INFO"], text("key"), text("value"))


def text(words):
    return ctypes.create_string_buffer(words.encode(), 4096)


def numbers(p, *values):
    return (element_type(p) * len(values))(*values)


# What is right for a parameter where its kind does not say: functions, parameters, the argument.
OWN = [
    ("Cart_(coords|get|rank|shift|sub)|Cartdim_get|(Ine|Ne)ighbor_.*", "comm", lambda o, p: o.cart),
    ("Graph_(get|neighbors|neighbors_count)|Graphdims_get", "comm", lambda o, p: o.graph),
    ("Dist_graph_neighbors.*", "comm", lambda o, p: o.dist_graph),
    ("Dist_graph_neighbors", "max.*", lambda o, p: 2),
    ("Pready.*", "request", lambda o, p: o.partitioned),
    ("Parrived", "request", lambda o, p: o.partitioned_in),
    ("Grequest_complete", "request", lambda o, p: o.generalized),
    ("(Comm_(set|get|delete)_attr|Attr_.*)", "comm_keyval|keyval", lambda o, p: o.keyval["Comm"]),
    ("Type_(set|get|delete)_attr", "type_keyval", lambda o, p: o.keyval["Type"]),
    ("(Comm|Keyval)_free_?.*", "comm_keyval|keyval", lambda o, p: INT(o.keyval["Comm"])),
    ("Type_free_keyval", "type_keyval", lambda o, p: INT(o.keyval["Type"])),
    ("Win_free_keyval", "win_keyval", lambda o, p: INT(o.keyval["Win"])),
    ("Win_lock", "lock_type", lambda o, p: constant("LOCK_SHARED")),
    ("Win_(create|allocate|allocate_shared)", "disp_unit", lambda o, p: 4),
    ("Comm_split_type", "split_type", lambda o, p: constant("COMM_TYPE_SHARED")),
    ("Type_match_size", "typeclass", lambda o, p: constant("TYPECLASS_REAL")),
    ("Type_match_size", "size", lambda o, p: 4),
    ("Abi_.et_fortran_booleans", "logical_size", lambda o, p: 4),
    ("Type_create_(darray|subarray)", "order", lambda o, p: constant("ORDER_C")),
    ("Type_create_darray", "rank|array_of_starts", lambda o, p: 0),
    ("Type_create_subarray", "array_of_starts", lambda o, p: numbers(p, 0)),
    ("Type_create_darray", "array_of_distribs", lambda o, p: numbers(p, constant("DISTRIBUTE_BLOCK"))),
    ("Type_create_darray", "array_of_dargs", lambda o, p: numbers(p, constant("DISTRIBUTE_DFLT_DARG"))),
    ("Type_get_(contents|envelope)", "datatype", lambda o, p: o.live["DATATYPE"]),
    ("Type_create_f90_.*", "p|r", lambda o, p: 4),
    ("(Pack|Unpack)_external.*", "datarep", lambda o, p: text("external32")),
    ("(Pack|Unpack)(_external)?", "outsize|insize", lambda o, p: 4096),
    ("Info_(create_env|get).*|Info_get_string", "argc|valuelen", lambda o, p: 0),
    ("Group_from_session_pset|Session_get_pset_info", "pset_name", lambda o, p: text("mpi://SELF")),
    ("Group_range_(in|ex)cl", "ranges", lambda o, p: numbers(p, 0, 0, 1)),
    ("Dims_create", "dims", lambda o, p: numbers(p, 0)),
    ("Graph_(create|map)", "indx", lambda o, p: numbers(p, 1)),
    ("Type_(free|commit)", "datatype", lambda o, p: WIDE(o.live["DATATYPE"])),
]

WHAT_IS_ONE = re.compile(r".*NUM_ELEM.*|POLYNUM.*|ARRAY_LENGTH.*|NUM_DIMS|COMM_SIZE.*|PROCESS_GRID_SIZE|DEGREE|DIMENSION|"
                         r"TAG|POLYDISPLACEMENT_AINT_COUNT|INFO_VALUE_LENGTH")


def right(objects, function, p):
    """An argument that the function accepts, if the other ones are right too."""
    for functions, names, make in OWN:
        if re.fullmatch(functions, function.short) and re.fullmatch(names, p.name):
            return make(objects, p)
    is_pointer = p.is_array or p.type.endswith("*")
    if p.kind in WORD_OF_KIND and p.direction != "out":
        known = {"COMMUNICATOR": constant("COMM_SELF"), "DATATYPE": constant("INT"), "OPERATION": constant("SUM"),
                 "ERRHANDLER": constant("ERRORS_RETURN")}
        one = objects.live.get(p.kind, objects.null[p.kind])
        if p.direction == "in":
            one = known.get(p.kind, one)
        return (WIDE * 2)(one, one) if is_pointer else one
    if p.kind.startswith(("FUNCTION", "POLYFUNCTION")):
        return CALLBACK_ADDRESS
    if p.kind == "STRING" and p.direction == "in":
        return text("key")
    if is_pointer and p.direction == "in" and p.kind not in ("BUFFER", "LOGICAL_VOID", "ATTRIBUTE_VAL", "STATUS"):
        value = 1 if WHAT_IS_ONE.fullmatch(p.kind) else 0
        return numbers(p, value, value)
    if is_pointer:
        return text("")
    return 1 if WHAT_IS_ONE.fullmatch(p.kind) else 0


def may_be_in_place(function, p):
    """In a job of one, which is every root."""
    if not rules.is_collective(function) or "eighbor" in function.short:
        return False
    return p.name == ("recvbuf" if re.match("I?scatter", function.short, re.I) else "sendbuf")


THE_RULES = rules.Rules()


def null_is_allowed(function, p):
    own = THE_RULES.of(function, p)
    return p.kind == "INFO" and "required" not in own or "optional" in own


def wrong_handles(objects, function, p):
    if not null_is_allowed(function, p):
        yield "null", objects.null[p.kind]
    yield "zero", 0
    yield "another kind", constant("INT") if p.kind != "DATATYPE" else constant("COMM_WORLD")
    if p.kind in objects.freed:
        yield "freed", objects.freed[p.kind]


def wrong(objects, function, p):
    """(what is wrong, argument, error classes that tell it)"""
    is_pointer = p.is_array or p.type.endswith("*")
    if p.kind in WORD_OF_KIND and p.direction != "out":
        if is_pointer:
            yield "null pointer", 0, ("ERR_ARG",)
        for what, value in wrong_handles(objects, function, p):
            yield what, (WIDE * 2)(value, value) if is_pointer else value, (CLASS_OF_KIND[p.kind],)
        if p.kind == "DATATYPE" and p.direction == "in" and any(q.kind == "BUFFER" for q in function.parameters):
            raw = objects.raw_type
            yield "not committed", (WIDE * 2)(raw, raw) if is_pointer else raw, ("ERR_TYPE",)
        return
    if p.kind in ("EXTRA_STATE", "EXTRA_STATE2") or p.direction == "in" and p.kind.startswith("ATTRIBUTE_VAL"):
        return  # the program's own
    if p.kind == "STATUS" and "written-through" not in THE_RULES.of(function, p):
        return  # MPI_STATUS_IGNORE
    if p.kind == "BUFFER":
        if not may_be_in_place(function, p):
            yield "MPI_IN_PLACE", constant("IN_PLACE"), ("ERR_BUFFER",)
        if any(q.kind == "DATATYPE" and q.is_array for q in function.parameters):
            return  # MPI_BOTTOM, since displacements may be addresses
    if is_pointer or p.kind.startswith(("FUNCTION", "POLYFUNCTION")):
        yield "null pointer", 0, ("ERR_BUFFER" if p.kind == "BUFFER" else "ERR_ARG", "ERR_ARG")
    if p.direction != "in" and p.kind != "?":
        return
    yield from wrong_numbers(p, is_pointer)


# A value that is wrong for parameters of a kind, alone and in an array, and the class that says so.
NO_RANK = ("ERR_RANK", "ERR_ROOT", "ERR_ARG", "ERR_TOPOLOGY")
WRONG_NUMBERS = [
    (r"RANK.*", 77, NO_RANK), (r"RANK.*", -99, NO_RANK), (r"TAG", -7, ("ERR_TAG",)),
    (r".*NUM_ELEM.*|POLYNUM_.*|POLYDTYPE_PACK_SIZE|ALLOC_MEM_NUM_BYTES", -1, ("ERR_COUNT", "ERR_ARG")),
    (r"ARRAY_LENGTH.*|INFO_VALUE_LENGTH|DEGREE|COMM_SIZE.*|PROCESS_GRID_SIZE", -1,
     ("ERR_ARG", "ERR_TOPOLOGY", "ERR_DIMS")),
    (r"NUM_DIMS|DIMENSION", -2, ("ERR_DIMS", "ERR_ARG")), (r"PARTITION", 9, ("ERR_ARG",)), (r"PARTITION", -1, ("ERR_ARG",)),
    (r"KEYVAL", 123456, ("ERR_KEYVAL",)), (r"KEYVAL", 0, ("ERR_KEYVAL",)), (r"COLOR", -5, ("ERR_ARG",)),
    (r"SPLIT_TYPE|ORDER|DISTRIB_ENUM|TYPECLASS|TYPECLASS_SIZE|MATH", 12345, ("ERR_ARG",)),
    (r"DTYPE_DISTRIBUTION", -7, ("ERR_ARG",)),
    (r"ERROR_CLASS|ERROR_CODE", -3, ("ERR_ARG",)), (r"INDEX", 99, ("ERR_ARG", "ERR_DIMS")),
    (r"KEY_INDEX", 99, ("ERR_ARG",)), (r"WEIGHT", -1, ("ERR_ARG",)),
]


def wrong_numbers(p, is_pointer):
    for kinds, value, classes in WRONG_NUMBERS:
        if re.fullmatch(kinds, p.kind):
            yield str(value), numbers(p, value, value, 1) if is_pointer else value, classes
