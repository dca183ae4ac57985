"""What is measured: groups of jobs, their rows, and what is expected of the rows."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Check:
    """One expectation of a row: its ratio to something is at most (of what should be small) or at least `bound`.

    against: "peers", the best of the other libraries; "machine", a figure of programs/limits.c named by `what`;
    "row", another row of ours, `what` being its key or (job, key); "value", no ratio: the figure itself is compared.
    """
    against: str
    bound: float
    what: object = None
    touched: int = None  # bytes touched by the row that is `what`, where this one touches twice as many


def peers(bound):
    return Check("peers", bound)


def machine(what, bound):
    return Check("machine", bound, what)


def row(what, bound):
    return Check("row", bound, what)


def twice(what, bound, touched):
    """Compared with the row of half the size, which touches so many bytes; what memory alone does is told beside it."""
    return Check("row", bound, what, touched)


def value(bound):
    return Check("value", bound)


@dataclasses.dataclass(frozen=True)
class Row:
    key: str  # what the program prints before the figure
    name: str
    checks: tuple = ()
    least: float = None  # the least that the figure can be, where that is known


@dataclasses.dataclass(frozen=True)
class Job:
    """One command line, run with each library in turn."""
    name: str
    program: str
    arguments: tuple
    ranks: int
    rows: tuple
    unit: str = "us"
    more_is_better: bool = False
    before: tuple = ()        # a command before mpirun, as taskset
    environment: tuple = ()   # (name, value)...
    peers: bool = True        # or ours alone
    most_rounds: int = 1000
    seconds: float = 60       # after which it is given up
    curve: bool = False       # the rows are sizes: draw them
    of: str = None            # no run of its own: the name of the job that prints these rows too


@dataclasses.dataclass(frozen=True)
class Group:
    name: str
    title: str
    jobs: tuple
    machine: tuple = ()       # figures of programs/limits.c, measured in the same rounds
    memory: tuple = ()        # and by the same program: bytes that all processors together copy
    hosts: bool = False       # on two hosts made for it (root), one rank on each


def bytes_named(size):
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit and size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size} B"
