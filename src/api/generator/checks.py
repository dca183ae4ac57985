"""The tests that a binding makes of its arguments, by the standard's kind of each parameter."""
import rules

# Pointers that may be null, or that a body looks at itself, whatever the direction.
NO_POINTER_TEST = {"BUFFER", "STATUS", "FUNCTION", "POLYFUNCTION", "ARGUMENT_COUNT", "ARGUMENT_LIST", "EXTRA_STATE",
                   "EXTRA_STATE2", "STRING_2DARRAY", "WEIGHT", "TOOL_MPI_OBJ", "LOGICAL_VOID"}

LENGTHS = {"ARRAY_LENGTH", "ARRAY_LENGTH_NNI"}


def is_count(p):
    return p.direction == "in" and ("NUM_ELEM" in p.kind or p.kind == "POLYNUM_BYTES_NNI") and not p.kind.endswith("_PI")


def in_call(function, kind_prefix, before):
    """The nearest parameter before `before` of a kind."""
    names = [p for p in function.parameters[:function.parameters.index(before)] if p.kind.startswith(kind_prefix)]
    return names[-1] if names else None


def side_buffer(function, p):
    """Collectives: the buffer that may be MPI_IN_PLACE and then makes `p` insignificant."""
    names = {q.name for q in function.parameters}
    for side in ("send", "recv"):
        if p.name.startswith(side) or p.name in {"send": ("sdispls",), "recv": ("displs", "rdispls")}[side]:
            return f"{side}buf" if f"{side}buf" in names else ""
    return ""


def condition(function, p, own):
    """Collectives: when the parameter counts at this rank."""
    if not rules.is_collective(function):
        return ""
    terms = []
    if "root-only" in own:
        terms.append("at_root(root, *comm_)")
    elif "not-at-first" in own:
        terms.append("(comm_->rank > 0 || in_place(sendbuf))")
    elif any(q.name == "root" for q in function.parameters):
        # What is sent to a root, or received from one, is nothing to the root of an intercommunicator.
        terms.append("root >= 0" if p.name.startswith(("send", "recv")) else "root != MPI_PROC_NULL")
    buffer = side_buffer(function, p)
    if buffer and p.name != buffer and place_rule(function, next(q for q in function.parameters if q.name == buffer)) != "false":
        terms.append(f"!in_place({buffer})")
    return " && ".join(terms)


def place_rule(function, p):
    """Collectives: the C++ expression that says whether a buffer may be MPI_IN_PLACE at this rank."""
    scatter = "scatter" in function.short.lower() and "reduce" not in function.short.lower()
    if p.name != ("recvbuf" if scatter else "sendbuf"):
        return "false"
    return "at_root(root, *comm_)" if any(q.name == "root" for q in function.parameters) else "true"


def collective_buffer_test(function, p, own):
    """The data that a buffer of a collective holds: count or counts, and the type or types."""
    by_name = {q.name: q for q in function.parameters}
    side = p.name[:4]
    count, of_type = (next(by_name[name] for name in names if name in by_name)
                      for names in ((f"{side}count", f"{side}counts", "count", "recvcount", "recvcounts"),
                                    (f"{side}type", f"{side}types", "datatype")))
    data = count.name
    if count.is_array and "reduce_scatter" in function.short.lower():
        data = f"own_count({data}, *comm_)"
    elif count.is_array:
        data = f"Blocks{{{data}, comm_->peers().size()}}"
    type_name = of_type.name if of_type.is_array else of_type.name + "_"
    test = f'check_data({p.name}, "{p.name}", {data}, {type_name}, {place_rule(function, p)})'
    return [(condition(function, p, own), test)]


def width(p):
    return "Width::small" if p.type in ("int", "const int") else "Width::large"


def handle_tests(parameters):
    for b in parameters:
        p = b.parameter
        if b.way == rules.REFERENCE:
            yield "", f'check_handle({p.name}_, MPI_ERR_{error_name(p)}, "{p.name}", {p.name})'


def error_name(p):
    return rules.OBJECTS[p.kind][1].upper()


def pointer_handle_test(function, b, own):
    """A handle that may be null, but must be one otherwise."""
    p = b.parameter
    if rules.is_collective(function) and p.kind != "INFO":
        return []  # the body knows whether it counts at this rank
    test = f'check_handle({p.name}_, MPI_ERR_{error_name(p)}, "{p.name}", {p.name})'
    if "required" in own:
        return [("", test)]
    null = {"INFO": "MPI_INFO_NULL", "COMMUNICATOR": "MPI_COMM_NULL", "DATATYPE": "MPI_DATATYPE_NULL",
            "WINDOW": "MPI_WIN_NULL", "FILE": "MPI_FILE_NULL"}[p.kind]
    return [(f"{p.name} != {null}", test)]


def rank_tests(function, p, own):
    if p.kind != "RANK" or p.type != "int" or p.direction != "in":
        return []
    if "root" in own:
        return [("", f'check_root({p.name}, "{p.name}", *comm_)')]
    if function.chapter in ("Point to point", "Partitioned communication"):
        kind = "source" if "wildcard" in own else "dest"
        return [("", f'check_{kind}({p.name}, "{p.name}", *comm_)')]
    return []


def count_and_type(function, p):
    """Of the elements in a buffer: they follow it, and no other buffer comes between the two."""
    following = function.parameters[function.parameters.index(p) + 1:]
    count = next((q for q in following if is_count(q) and not q.is_array), None)
    of_type = next((q for q in following if q.kind == "DATATYPE" and not q.is_array), None)
    if not count or not of_type:
        return None
    between = following[following.index(count):following.index(of_type)]
    return None if any(q.kind == "BUFFER" for q in between) else (count, of_type)


def buffer_tests(function, p, own):
    """What a buffer of elements must not be; of other memory, only that it is none of the constants."""
    if function.chapter == "Collectives":
        return collective_buffer_test(function, p, own)
    if rules.is_collective(function) or "any-address" in own:
        return []
    elements = count_and_type(function, p)
    if elements:
        count, of_type = elements
        return [("", f'check_buffer({p.name}, "{p.name}", {count.name}, *{of_type.name}_)')]
    automatic = f"{p.name} != MPI_BUFFER_AUTOMATIC" if "attach" in function.short.lower() else ""
    return [(automatic, f'check_memory({p.name}, "{p.name}")')]


def committed_test(function, b):
    p = b.parameter
    if p.kind != "DATATYPE" or b.way != rules.REFERENCE or not any(q.kind == "BUFFER" for q in function.parameters):
        return []
    return [("", f'check_committed(*{p.name}_, "{p.name}")')]


def array_tests(function, p, own):
    """Arrays may be null when their length is zero; where the body does not look, the length is plain."""
    if function.chapter == "Collectives" and not is_count(p):  # one for each rank
        return [(condition(function, p, own), f'check_pointer({p.name}, "{p.name}")')]
    lengths = [q for q in function.parameters if q.kind in LENGTHS and q.direction == "in"]
    if function.chapter not in ("Point to point", "Partitioned communication") or len(lengths) != 1:
        return []
    return [(f"{lengths[0].name} > 0", f'check_pointer({p.name}, "{p.name}")')]


def pointer_tests(function, p, own):
    """Memory that the call reads or writes through, and may not do without."""
    is_pointer = p.is_array or p.type.endswith("*")
    if not is_pointer or "may-be-null" in own:
        return []
    if p.kind in NO_POINTER_TEST and "written-through" not in own:
        return []
    if p.is_array:
        return array_tests(function, p, own)
    if p.kind in rules.OBJECTS and p.direction == "inout":
        return [("", f'check_inout_handle({p.name}, MPI_ERR_{error_name(p)}, "{p.name}")')]
    return [("", f'check_pointer({p.name}, "{p.name}")')]


def value_tests(function, p, own):
    if "own-check" in own:
        return []
    when = condition(function, p, own)
    if "may-be-negative" in own:
        return []
    if is_count(p):
        if not p.is_array:
            return [(when, f'check_count({p.name}, "{p.name}", {width(p)})')]
        if function.chapter == "Collectives":
            size = "comm_->size()" if "reduce_scatter" in function.short.lower() else "comm_->peers().size()"
            return [(when, f'check_counts({p.name}, {size}, "{p.name}", {width(p)})')]
        return []
    if p.kind in LENGTHS and p.direction == "in" and p.type == "int":
        return [(when, f'check_length({p.name}, "{p.name}")')]
    if p.kind == "TAG" and p.direction == "in" and function.chapter in (
            "Point to point", "Partitioned communication", "Communicators"):
        return [("", f'check_{"any_" if "wildcard" in own else ""}tag({p.name}, "{p.name}")')]
    return []


def tests(function, parameters, the_rules):
    """(condition, expression of type Error) in the order in which they are made: what later tests use comes first."""
    handles, values, contents = list(handle_tests(parameters)), [], []
    for b in parameters:
        p = b.parameter
        if p is None:
            continue
        own = the_rules.of(function, p)
        if b.way == rules.POINTER:
            handles += pointer_handle_test(function, b, own)
        values += pointer_tests(function, p, own) + value_tests(function, p, own) + rank_tests(function, p, own)
        contents += committed_test(function, b)
        if p.kind == "BUFFER":
            contents += buffer_tests(function, p, own)
    return handles + values + contents
