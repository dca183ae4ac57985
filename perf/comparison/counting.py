"""Instructions of single MPI calls, counted by valgrind's callgrind while the function is on the stack."""
import dataclasses
import glob
import os
import re
import subprocess
import tempfile

from . import rounds

CALLS = 1000


@dataclasses.dataclass(frozen=True)
class Counted:
    """A line of the table. `rank`: whose calls; the bounds are the project's, with and without checks of arguments."""
    function: str
    what: str
    rank: int
    bound: int = None
    bound_unchecked: int = None


TABLE = (
    Counted("MPI_Isend", "8 bytes, eager", 0, 160, 100),
    Counted("MPI_Irecv", "posted before the message", 1),
    Counted("MPI_Send", "8 bytes, eager", 0),
    Counted("MPI_Wait", "of such a send", 0),
    Counted("MPI_Wait", "of a receive that is complete", 1, 60, 60),
)
# Functions that no rank calls both of can be counted in one run.
RUNS = (("MPI_Isend", "MPI_Irecv"), ("MPI_Send",), ("MPI_Wait",))


def files_of(folder, pid):
    """What callgrind wrote of a process: a file for each part of its run."""
    files = glob.glob(os.path.join(folder, f"{pid}.*")) + glob.glob(os.path.join(folder, str(pid)))
    if not files:
        raise RuntimeError(f"callgrind wrote nothing of process {pid}")
    return files


def total_of(folder, pid):
    """All instructions that were collected in a process."""
    sums = []
    for name in files_of(folder, pid):
        with open(name, encoding="utf-8") as text:
            sums += [int(number) for number in re.findall(r"^totals: (\d+)", text.read(), re.MULTILINE)]
    return sum(sums)


def run_counted(library, program, functions, environment, folder):
    """Runs both ranks with callgrind, which writes into the folder; process numbers by rank."""
    valgrind = ["valgrind", "--tool=callgrind", "-q", "--instr-atstart=no", f"--callgrind-out-file={folder}/%p",
                *(f"--toggle-collect=*{function}" for function in functions)]
    figures, why = rounds.run([*library.start(2), *valgrind, program, str(CALLS)], 120, environment)
    if figures is None:
        raise RuntimeError(why)
    return {rank: int(figures[str(rank)]) for rank in (0, 1)}


def count(library, program, functions, environment):
    """Instructions of one call by rank. RuntimeError says what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        pids = run_counted(library, program, functions, environment, folder)
        return {rank: total_of(folder, pid) / CALLS for rank, pid in pids.items()}


def annotated(text):
    """From what callgrind_annotate prints: instructions by function, over all the files that its inlined parts are in."""
    sums = {}
    for number, name in re.findall(r"^ *([\d,]+) \([^)]*\)  \S+?:(\S.*?)(?: \[[^]]*\])?$", text, re.MULTILINE):
        sums[name] = sums.get(name, 0) + int(number.replace(",", ""))
    return sums


def where(library, program, function, rank, environment):
    """(instructions of one call, function that spends them itself), most first."""
    with tempfile.TemporaryDirectory() as folder:
        pids = run_counted(library, program, (function,), environment, folder)
        sums = {}
        for name in files_of(folder, pids[rank]):
            done = subprocess.run(["callgrind_annotate", "--auto=no", "--threshold=100", name], capture_output=True, text=True)
            for key, number in annotated(done.stdout).items():
                sums[key] = sums.get(key, 0) + number
    return sorted(((number / CALLS, name) for name, number in sums.items() if number >= CALLS), reverse=True)


def count_all(library, program, environment):
    """(function, rank) -> instructions."""
    counts = {}
    for functions in RUNS:
        by_rank = count(library, program, functions, environment)
        for row in TABLE:
            if row.function in functions:
                counts[row.function, row.rank] = by_rank[row.rank]
    return counts


# The halves of a round trip: what each rank calls for it.
ROUND_TRIPS = {"MPI_Send and MPI_Recv": ("MPI_Send", "MPI_Recv"),
               "active messages": ("MPIX_Am_send", "MPIX_Progress_until")}


MOST_ACTIVE = 1.0  # instructions of active messages, of those by messages


def count_round_trips(library, program):
    """{how: {rank: instructions of one round trip at that rank}}, from the program round_trips."""
    return {how: count(library, program, functions, {}) for how, functions in ROUND_TRIPS.items()}


def verdict_of(counts, bound):
    if bound is None or counts is None:
        return ""
    return f"<= {bound} {'met' if counts <= bound else 'NOT MET'}"


def lines(columns):
    """The table. columns: (title, counts, checked) in order; `checked` is None for libraries without limits."""
    yield f"{'# instructions of a call':48}" + "".join(f"{title:>20}" for title, _, _ in columns)
    for row in TABLE:
        found = [(counts.get((row.function, row.rank)), checked) for _, counts, checked in columns]
        yield f"{row.function + ', ' + row.what:48}" + "".join(
            f"{'-' if number is None else format(number, '.0f'):>20}" for number, _ in found)
        for number, checked in found:
            bound = row.bound if checked else row.bound_unchecked
            if checked is not None and bound is not None:
                words = "with checks" if checked else "without checks"
                yield f"  {words:46}{verdict_of(number, bound):>20}"
