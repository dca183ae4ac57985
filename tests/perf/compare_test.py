"""perf/compare: what it makes of figures, of programs that fail, and of a machine without other libraries."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as tree
from unittest import mock

from comparison import counting, groups, libraries, page, reckoning, rounds, table, verdict
from support import BUILD, SOURCE

COMPARE = SOURCE / "perf" / "compare"
PROGRAMS = SOURCE / "perf" / "comparison" / "programs"


def result_of(rows, more_is_better=False, machine=None, curve=False):
    """Results as perf/compare keeps them, with one group of one job. rows: (key, values by library, checks)"""
    names = ("COW MPI", "MPICH", "Open MPI")
    return {"made": "then", "cores": 2, "rounds": 3,
            "libraries": [{"name": name, "version": "1", "ours": name == "COW MPI"} for name in names],
            "groups": [{"name": "group", "title": "A group", "machine": machine or {}, "jobs": [{
                "name": "job", "unit": "us", "more_is_better": more_is_better, "curve": curve, "command": "", "ranks": 2,
                "failures": {}, "rows": [{"key": key, "name": key, "values": values, "checks": checks}
                                         for key, values, checks in rows]}]}]}


def judged(result, index=0):
    group = result["groups"][0]
    job = group["jobs"][0]
    return verdict.verdicts(result, group, job, job["rows"][index])


def check(against, bound, what=None, touched=None):
    return {"against": against, "bound": bound, "what": what, "touched": touched}


class Verdicts(unittest.TestCase):
    TIMES = {"COW MPI": [1.0, 2.0, 1.0], "MPICH": [4.0, 4.0, 4.0], "Open MPI": [2.0, 2.5, 2.0]}

    def test_a_time_is_compared_with_the_shortest(self):
        one, = judged(result_of([("8", self.TIMES, [check("peers", 0.5)])]))
        self.assertEqual((one["name"], one["ratio"], one["met"]), ("Open MPI", 0.5, True))

    def test_a_rate_is_compared_with_the_highest(self):
        one, = judged(result_of([("8", self.TIMES, [check("peers", 1.2)])], more_is_better=True))
        self.assertEqual((one["name"], one["ratio"], one["met"]), ("MPICH", 0.25, False))

    def test_rounds_are_compared_with_their_own(self):
        """The machine halved its speed for the second half; the libraries were as good as each other all along."""
        drifting = {"COW MPI": [1.0, 1.0, 2.0, 2.0, 2.0], "MPICH": [1.0, 1.0, 2.0, 2.0, 2.0]}
        self.assertEqual(judged(result_of([("8", drifting, [check("peers", 1.0)])]))[0]["ratio"], 1.0)

    def judged_before(self, now, before, more=False):
        result = result_of([("8", {"COW MPI": now, libraries.BEFORE: before}, [check("peers", 0.5)])], more_is_better=more)
        result["libraries"] = [{"name": name, "version": "1", "ours": name == "COW MPI"} for name in ("COW MPI", libraries.BEFORE)]
        one, = judged(result)
        return one["ratio"], one["met"]

    def test_an_older_state_is_judged_by_how_far_the_rounds_lie_apart(self):
        self.assertEqual(self.judged_before([1.2] * 5, [1.0] * 5), (1.2, False))
        self.assertEqual(self.judged_before([1.02] * 5, [1.0] * 5), (1.02, True))
        self.assertEqual(self.judged_before([0.9, 0.9, 1.2, 1.3, 1.4], [1.0] * 5), (1.2, True))
        self.assertEqual(self.judged_before([0.5] * 5, [1.0] * 5, more=True), (0.5, False))
        self.assertEqual(self.judged_before([1.5] * 5, [1.0] * 5, more=True), (1.5, True))
        self.assertEqual(self.judged_before([], []), (None, None))

    def test_the_machine_itself(self):
        one, = judged(result_of([("8", self.TIMES, [check("machine", 3.0, "futex")])], machine={"futex": [0.25, 0.5, 0.25]}))
        self.assertEqual((one["ratio"], one["met"]), (4.0, False))

    def test_another_row(self):
        rows = [("1", {"COW MPI": [10.0]}, []), ("2", {"COW MPI": [22.0]}, [check("row", 2.2, "1")]),
                ("4", {"COW MPI": [60.0]}, [check("row", 2.2, ("job", "2"))])]
        self.assertEqual([judged(result_of(rows), 1)[0]["met"], judged(result_of(rows), 2)[0]["met"]], [True, False])

    def test_the_figure_itself(self):
        self.assertFalse(judged(result_of([("8", {"COW MPI": [0.2]}, [check("value", 0.1)])]))[0]["met"])

    def test_nothing_is_met_that_was_not_measured(self):
        one, = judged(result_of([("8", {"COW MPI": [1.0], "MPICH": []}, [check("peers", 0.9)])]))
        self.assertIsNone(one["met"])


class Shown(unittest.TestCase):
    ROWS = [(str(size), {"COW MPI": [2.0, 2.0], "MPICH": [4.0, 4.4], "Open MPI": [3.0, 4.0]}, [check("peers", 0.5)])
            for size in (0, 1, 1024)]

    def test_a_line_of_the_table(self):
        result = result_of(self.ROWS)
        lines = list(table.group_lines(result, result["groups"][0]))
        line = next(line for line in lines if line.startswith("1024"))
        self.assertEqual(line.split(), ["1024", "2", "±0%", "4.2", "±5%", "3.5", "±14%", "0.583", "<=", "0.5", "NOT", "MET"])

    def test_the_sum(self):
        self.assertEqual(table.summary(result_of(self.ROWS)), "0 limits met, 3 not met")

    def test_a_page_that_needs_nothing_else(self):
        result = result_of(self.ROWS, curve=True, machine={"cacheline": [0.1]})
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(page.write(result, folder), ["group.svg", "index.html"])
            picture = tree.parse(os.path.join(folder, "group.svg")).getroot()
            self.assertEqual(len(picture.findall(".//{*}polyline")), 3)
            text = pathlib.Path(folder, "index.html").read_text()
        self.assertIn("<svg", text)
        for foreign in ("src=", "href=", "@import", "url("):
            self.assertNotIn(foreign, text)


class Memory(unittest.TestCase):
    """Sizes doubled, and what memory alone does with as many bytes."""

    def doubled(self, ratio, alone):
        """Judged: a row of twice the size takes `ratio` times as long, and memory `alone` times."""
        result = result_of([("1", {"COW MPI": [10.0, 20.0, 10.0]}, []),
                            ("2", {"COW MPI": [10.0 * ratio, 20 * ratio, 10 * ratio]}, [check("row", 2.2, "1", 64)])])
        result["groups"][0]["memory"] = {"64": [1.0, 3.0, 1.0], "128": [alone, 3 * alone, alone]} if alone else {}
        return result

    def test_bytes_of_all_ranks(self):
        touched = {name: reckoning.touched(name, 4, 1000) for name in reckoning.BLOCKS}
        self.assertEqual(touched, {"bcast": 4000, "allreduce": 8000, "allgather": 4000 + 16000, "alltoall": 2 * 16000})

    def test_a_limit_that_memory_misses_too_is_marked_and_stays_missed(self):
        result = self.doubled(2.5, 3.4)
        one, = judged(result, 1)
        self.assertEqual((one["met"], one["memory"], verdict.count_met(result)), (False, 3.4, (0, 1, 1, 0)))
        self.assertIn("NOT MET (memory alone: 3.4)  to 1 (10)", table.judged(one))
        self.assertEqual(table.summary(result), "0 limits met, 1 not met, 1 of them where memory alone takes more than that")
        self.assertEqual(list(table.missed_lines(result)), ["not met: group, job, 2: 2.5 to 1 (<= 2.2; memory alone: 3.4)"])

    def test_nothing_else_excuses(self):
        for alone in (2.0, 2.2, None):
            result = self.doubled(2.5, alone)
            self.assertEqual(verdict.count_met(result), (0, 1, 0, 0), alone)
            self.assertNotIn("(memory", table.judged(judged(result, 1)[0]))
            self.assertEqual(table.summary(result), "0 limits met, 1 not met")
        self.assertTrue(table.judged(judged(self.doubled(2.5, 2.0), 1)[0]).endswith("NOT MET  to 1 (10), memory alone: 2"))

    def test_what_is_met_is_met(self):
        result = self.doubled(2.0, 3.4)
        self.assertEqual(verdict.count_met(result), (1, 0, 0, 0))
        self.assertTrue(table.judged(judged(result, 1)[0]).endswith("met      to 1 (10), memory alone: 3.4"))

    def test_the_table(self):
        result = self.doubled(2.5, 3.4)
        lines = list(table.group_lines(result, result["groups"][0]))
        self.assertEqual([line.split() for line in lines[2:4]], [["64", "B", "1", "±100%"], ["128", "B", "3.4", "±100%", "3.4"]])

    def test_the_page(self):
        text = page.page(self.doubled(2.5, 3.4))
        self.assertIn("not met (memory alone: 3.4)", text)
        self.assertIn("<tr><td>128 B</td><td>3.4 ±100%</td><td>3.4</td></tr>", text)

    def test_all_that_large_rows_touch_is_measured(self):
        group, = (group for group in groups.all_groups() if group.name == "guidelines")
        touching = [one.touched for job in group.jobs for row in job.rows for one in row.checks if one.touched]
        self.assertIn(72 << 19, touching)  # eight ranks gather 512 KiB, then 1 MiB, from each
        for half in (half for half in touching if half >= 256 << 10):
            self.assertLessEqual({half, 2 * half}, set(group.memory))


class Switches(unittest.TestCase):
    def test_the_least_there_can_be(self):
        for name, ranks, processors, least in (
                ("barrier", 8, 2, 0.75), ("alltoall", 4, 2, 0.5), ("allreduce", 3, 1, 2 / 3), ("bcast", 8, 2, 0.125),
                ("gather", 4, 2, 0.25), ("scan", 8, 2, 0), ("barrier", 2, 2, 0), ("bcast", 4, 8, 0), ("sort", 8, 2, None)):
            self.assertAlmostEqual(reckoning.least_switches(name, ranks, processors), least, msg=name)

    def test_every_collective_has_one(self):
        for name in groups.COLLECTIVES:
            self.assertIsNotNone(reckoning.least_switches(name, 8, 2))

    def test_only_where_ranks_share_processors(self):
        def tables(cores):
            return [(job.of, len(job.rows)) for job in groups.collectives(cores).jobs if job.of]
        self.assertEqual([tables(cores) for cores in (1, 4, 8)],
                         [[(f"{ranks} ranks", 16) for ranks in (2, 4, 8)], [("8 ranks", 16)], []])


class Counts(unittest.TestCase):
    """perf/instructions."""

    def test_all_parts_of_a_run_are_added(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("12", "events: Ir\nsummary: 1\ntotals: 7000\n"), ("12.1", "totals: 500\n"), ("123", "totals: 9\n")):
                pathlib.Path(folder, name).write_text(text)
            self.assertEqual(counting.total_of(folder, 12), 7500)
            with self.assertRaisesRegex(RuntimeError, "nothing of process 13"):
                counting.total_of(folder, 13)

    def test_the_table(self):
        counts = {("MPI_Isend", 0): 150.4, ("MPI_Wait", 1): 61.0}
        lines = list(counting.lines([("checks", counts, True), ("no checks", counts, False), ("MPICH", {}, None)]))
        isend = next(i for i, line in enumerate(lines) if line.startswith("MPI_Isend"))
        self.assertEqual(lines[isend].split()[-3:], ["150", "150", "-"])
        self.assertEqual([line.split() for line in lines[isend + 1:isend + 3]],
                         [["with", "checks", "<=", "160", "met"], ["without", "checks", "<=", "100", "NOT", "MET"]])

    def test_inlined_parts_belong_to_their_function(self):
        text = (" 7,000 (70.0%)  src/send.cpp:cow::begin(cow::Send&) [/lib/libmpi_abi.so.1]\n"
                " 2,000 (20.0%)  src/list.hpp:cow::begin(cow::Send&) [/lib/libmpi_abi.so.1]\n"
                " 1,000 (10.0%)  ???:memcpy\n10,000 (100.0%)  PROGRAM TOTALS\n")
        self.assertEqual(counting.annotated(text), {"cow::begin(cow::Send&)": 9000, "memcpy": 1000})

    def test_each_function_is_counted_once(self):
        counted = [function for functions in counting.RUNS for function in functions]
        self.assertEqual(sorted(counted), sorted({row.function for row in counting.TABLE}))


class Lines(unittest.TestCase):
    """What programs print."""

    def test_keys_and_figures(self):
        self.assertEqual(rounds.parse("8 1.5\nbcast/8 2\n"), {"8": 1.5, "bcast/8": 2.0})
        for wrong in ("8\n", "8 1 2\n", "8 fast\n"):
            with self.assertRaises(ValueError):
                rounds.parse(wrong)

    def test_the_table_of_pack(self):
        text = "# MPI_Pack and so on\n# Shape Block Pack Unpack\nvector 8 0.5 0.75\n"
        self.assertEqual(rounds.parse_pack(text), {"vector/8/pack": 0.5, "vector/8/unpack": 0.75})


class Table(unittest.TestCase):
    """The groups themselves: nothing in them refers to what is not there."""

    def test_names_are_unique(self):
        names = [group.name for group in groups.all_groups()]
        self.assertEqual(len(names), len(set(names)))

    def test_what_checks_refer_to(self):
        for group in groups.all_groups():
            rows = {(job.name, row.key) for job in group.jobs for row in job.rows}
            self.assertEqual(len(rows), sum(len(job.rows) for job in group.jobs), group.name)
            for job in group.jobs:
                for one in (one for row in job.rows for one in row.checks):
                    if one.against == "machine":
                        self.assertIn(one.what, group.machine)
                    if one.against == "row":
                        self.assertIn((job.name, one.what) if isinstance(one.what, str) else one.what, rows)

    def test_machine_figures_have_words(self):
        for group in groups.all_groups():
            for word in group.machine:
                self.assertIn(word, table.MACHINE_WORDS)


class Runs(unittest.TestCase):
    """The whole script, with a library whose compiler and mpirun are scripts of a few lines."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "bin").mkdir()
        self.tool("mpirun", 'shift 2; exec "$@"')

    def tool(self, name, text):
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def programs_do(self, text):
        """A compiler whose programs are this script."""
        self.tool("mpicc", 'while [ "$1" != -o ]; do shift; done\n'
                  f"printf '%s\\n' '#!/bin/sh' '{text}' >\"$2\"; chmod +x \"$2\"")

    def compare(self, *options, before=()):
        return subprocess.run([*before, COMPARE, "--prefix", self.folder, "--work", self.folder / "work", "--alone", "--only",
                               "rate", "--rounds", "3", *options], capture_output=True, text=True, check=False)

    def test_figures_reach_the_table_and_the_file(self):
        self.programs_do("echo 8 7.5")
        done = self.compare("--json", self.folder / "json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        row = next(line for line in done.stdout.splitlines() if line.startswith("8 B"))
        self.assertEqual(row.split()[2:4] + row.split()[-2:], ["7.5", "±0%", "no", "peer"])
        written = json.loads((self.folder / "json").read_text())
        self.assertEqual(written["groups"][0]["jobs"][0]["rows"][0]["values"], {"COW MPI": [7.5, 7.5, 7.5]})
        again = subprocess.run([COMPARE, "--from", self.folder / "json"], capture_output=True, text=True, check=False)
        self.assertEqual(again.stdout, done.stdout)

    def test_figures_of_one_run_in_two_tables(self):
        """On one processor, so that ranks share it."""
        self.programs_do('for key; do echo "$key 7.5"; echo "$key.switches 0.25"; done')
        before = ("taskset", "-c", str(min(os.sched_getaffinity(0))))
        done = self.compare("--only", "collectives", "--json", self.folder / "json", before=before)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = [line.split() for line in done.stdout.splitlines() if line.startswith("bcast 8 B")]
        self.assertEqual([line[3] for line in lines], ["7.5"] * 3 + ["0.25"] * 3)
        self.assertEqual([line[-1] for line in lines[3:]], ["0.5", "0.25", "0.125"])  # the least with 2, 4, 8 ranks
        self.assertNotIn("MET", " ".join(word for line in lines[3:] for word in line))
        again = subprocess.run([COMPARE, "--from", self.folder / "json"], capture_output=True, text=True, check=False)
        self.assertEqual(again.stdout, done.stdout)

    def broken(self, *words):
        done = self.compare()
        self.assertEqual(done.returncode, 1, done.stdout)
        line = next(line for line in done.stdout.splitlines() if line.startswith("! COW MPI"))
        for word in words:
            self.assertIn(word, done.stdout, line)

    def test_a_program_that_fails(self):
        self.programs_do("echo 8 7.5; echo no luck >&2; exit 3")
        self.broken("status 3", "no luck")

    def test_a_program_that_prints_something_else(self):
        self.programs_do("echo hello")
        self.broken("not a key and a figure", "hello")

    def test_a_program_that_prints_too_little(self):
        self.programs_do("echo 16 1")
        self.broken("printed nothing for 8")

    def test_a_program_that_does_not_compile(self):
        self.tool("mpicc", "echo syntax error >&2; exit 1")
        self.broken("does not compile", "syntax error")

    def test_an_unknown_group(self):
        done = self.compare("--only", "nonsense")
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no group nonsense; there are latency,", done.stderr)

    def test_the_list(self):
        listed = subprocess.run([COMPARE, "--list"], capture_output=True, text=True, check=True).stdout
        self.assertEqual([line.split()[0] for line in listed.splitlines()], [group.name for group in groups.all_groups()])

    def test_no_library(self):
        done = subprocess.run([COMPARE, "--prefix", "/nonexistent"], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("/nonexistent has no bin/mpicc", done.stderr)


class Machine(unittest.TestCase):
    def test_without_peers(self):
        with mock.patch.dict(os.environ, PATH="/nonexistent"):
            self.assertEqual(libraries.peers(), [])

    def test_every_program_compiles_without_a_warning(self):
        ours = libraries.built(str(BUILD))
        with tempfile.TemporaryDirectory() as folder:
            for source in sorted(PROGRAMS.glob("*.c")):
                libraries.compile_program(str(source), os.path.join(folder, source.stem), ours.compiler, ours.link,
                                          (*libraries.FLAGS, "-Werror"))

    def test_memory_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            program = libraries.program_of(None, "limits", folder)
            figures, why = rounds.run([program, "memory/262144", "memory/8388608"], 60, {})
        self.assertIsNone(why)
        self.assertLess(figures["memory/262144"], figures["memory/8388608"])  # 32 times the bytes

    def test_switches_are_counted(self):
        """On one processor each rank must be switched away from, once in two broadcasts at least."""
        processor = ("taskset", "-c", str(min(os.sched_getaffinity(0))))
        ours = libraries.built(str(BUILD))
        plain = {name: word for name, word in os.environ.items() if not name.startswith("COW_")}
        with tempfile.TemporaryDirectory() as folder:
            command = [*processor, *ours.start(2), libraries.program_of(ours, "collectives", folder), "bcast/8", "barrier"]
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=plain)
        figures = rounds.parse(done.stdout)
        self.assertEqual(list(figures), ["bcast/8", "bcast/8.switches", "barrier", "barrier.switches"])
        for key in ("bcast/8", "barrier"):
            self.assertGreater(figures[f"{key}.switches"], 0.4)

    def test_a_job_of_ours(self):
        with tempfile.TemporaryDirectory() as folder:
            # without the words of this test, which mpirun would take for misspelt settings
            plain = {name: word for name, word in os.environ.items() if not name.startswith("COW_")}
            done = subprocess.run([COMPARE, "--build", BUILD, "--work", folder, "--alone", "--only", "onecore", "--rounds", "1"],
                                  capture_output=True, text=True, check=False, env=plain)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        row = next(line for line in done.stdout.splitlines() if line.startswith("8 B"))
        self.assertGreater(float(row.split()[2]), 0)


if __name__ == "__main__":
    unittest.main()
