"""Runs jobs in turn with every library, and gathers what they print."""
import os
import signal
import subprocess
import sys
import time

from . import libraries


def parse(text):
    """What a program printed: lines "KEY FIGURE". A line that is anything else makes the whole run worthless."""
    figures = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) != 2:
            raise ValueError(f"printed a line that is not a key and a figure: {line!r}")
        figures[words[0]] = float(words[1])  # ValueError says what it was
    return figures


def parse_pack(text):
    """The table of perf/pack: shape, bytes of a block, times of packing and of unpacking."""
    figures = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            shape, block, packing, unpacking = line.split()
            figures.update({f"{shape}/{block}/pack": float(packing), f"{shape}/{block}/unpack": float(unpacking)})
    return figures


PARSERS = {"pack": parse_pack}
# mpirun's words for the two hosts that tests/hosts/hosts has made; $0 is mpirun.
ON_HOSTS = 'exec "$0" --host "$HOSTS" "$@"'


def stop(process):
    """Ends a job that takes too long: first as a user would, then whatever is left of its process group."""
    for sign, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, sign)
            process.wait(patience)
            return
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def run(command, seconds, environment, parser=parse):
    """Figures by key, or (None, why there are none)."""
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, env={**os.environ, **environment}, start_new_session=True)
    except OSError as error:
        return None, f"{command[0]} does not start: {error.strerror}"
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        stop(process)
        process.communicate()
        return None, f"took longer than {seconds:g} s"
    if process.returncode != 0:
        return None, f"status {process.returncode}: {(err or out).strip()[-600:]}"
    try:
        return parser(out), None
    except ValueError as error:
        return None, str(error)


class Measurement:
    """All figures of the groups asked for; `result` is what is written as JSON."""

    def __init__(self, compared, work, rounds):
        self.compared, self.work, self.rounds = compared, work, rounds
        self.result = {
            "made": time.strftime("%Y-%m-%d %H:%M"),
            "cores": len(os.sched_getaffinity(0)),
            "rounds": rounds,
            "libraries": [{"name": one.name, "version": one.version, "ours": one.ours} for one in compared],
            "groups": [],
        }

    def measure(self, group):
        """All rounds of one group: machine, A, B, C, machine, A, B, C, …"""
        entry = {"name": group.name, "title": group.title, "machine": {word: [] for word in group.machine},
                 "memory": {str(size): [] for size in group.memory}, "jobs": []}
        self.result["groups"].append(entry)
        if group.hosts and os.geteuid() != 0:
            entry["title"] += ": left out, only root can make hosts"
            return
        for job in group.jobs:
            names = [one.name for one in self.libraries_of(job)]
            entry["jobs"].append({
                "name": job.name, "unit": job.unit, "more_is_better": job.more_is_better, "curve": job.curve,
                "command": " ".join((*job.before, job.program, *job.arguments)), "ranks": job.ranks,
                "rows": [{"key": row.key, "name": row.name, "values": {name: [] for name in names},
                          "checks": [vars(check) for check in row.checks], "least": row.least} for row in job.rows],
                "failures": {}})
        for number in range(self.rounds):
            self.tell(f"{group.name}: round {number + 1} of {self.rounds}")
            self.measure_machine(group, entry)
            for job in group.jobs:
                tables = [table for one, table in zip(group.jobs, entry["jobs"]) if job.name in (one.name, one.of)]
                if number < job.most_rounds and not job.of:
                    for library in self.libraries_of(job):
                        self.measure_job(group, job, library, tables)
        self.tell("")

    def libraries_of(self, job):
        return [one for one in self.compared if one.ours or job.peers]

    def measure_machine(self, group, entry):
        words = (*group.machine, *(f"memory/{size}" for size in group.memory))
        if not words:
            return
        before = (libraries.HOSTS, "run", "2", "--") if group.hosts else ()
        figures, why = run([*before, libraries.program_of(None, "limits", self.work), *words], 60, {})
        if figures is None:
            raise RuntimeError(f"limits: {why}")
        for word, figure in figures.items():
            kind, _, size = word.partition("/")
            entry[kind if size else "machine"][size or word].append(figure)

    def command(self, group, job, library):
        start = library.start(job.ranks)
        if group.hosts:
            start = [libraries.HOSTS, "run", "2", "--", "sh", "-c", ON_HOSTS, *start]
        return [*job.before, *start, libraries.program_of(library, job.program, self.work), *job.arguments]

    def measure_job(self, group, job, library, tables):
        """One run, whose figures the tables share."""
        failures, rows = tables[0]["failures"], [row for table in tables for row in table["rows"]]
        if library.name in failures:
            return  # once is enough
        try:
            figures, why = run(self.command(group, job, library), job.seconds, dict(job.environment),
                               PARSERS.get(job.program, parse))
        except libraries.BrokenProgram as error:
            figures, why = None, f"does not compile: {error}"
        if figures is not None and (missing := [row["key"] for row in rows if row["key"] not in figures]):
            figures, why = None, f"printed nothing for {', '.join(missing)}"
        if figures is None:
            failures[library.name] = why
            return
        for row in rows:
            row["values"][library.name].append(figures[row["key"]])

    @staticmethod
    def tell(text):
        if sys.stderr.isatty():
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
