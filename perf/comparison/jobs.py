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


def peers(bound):
    return Check("peers", bound)


def machine(what, bound):
    return Check("machine", bound, what)


def row(what, bound):
    return Check("row", bound, what)


def value(bound):
    return Check("value", bound)


@dataclasses.dataclass(frozen=True)
class Row:
    key: str  # what the program prints before the figure
    name: str
    checks: tuple = ()


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


@dataclasses.dataclass(frozen=True)
class Group:
    name: str
    title: str
    jobs: tuple
    machine: tuple = ()       # figures of programs/limits.c, measured in the same rounds
    hosts: bool = False       # on two hosts made for it (root), one rank on each


def bytes_named(size):
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit and size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size} B"
