"""What the library and mpirun tell of a job that hangs, and of what a program leaves behind."""
import os
import signal
import subprocess
import tempfile
import threading
import unittest

BUILD = os.environ["COW_BUILD"]
MPIRUN = os.path.join(BUILD, "bin", "mpirun")


# mpirun takes COW_… variables for settings: those of the tests themselves are none.
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith("COW_")}


def program(name):
    return os.path.join(BUILD, "tests", "mpi", "mpi_" + name)


class Job:
    """A job whose standard error is read until a line holds some words; then it is ended."""

    def __init__(self, ranks, words, environment):
        self.process = subprocess.Popen([MPIRUN, "-n", str(ranks)] + words, env={**PLAIN, **environment}, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.timer = threading.Timer(60, self.process.kill)
        self.timer.start()

    def lines_until(self, words):
        lines = []
        for line in self.process.stderr:
            lines.append(line.rstrip("\n"))
            if words in line:
                return lines
        return lines

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate()
        self.timer.cancel()


class WhyItHangs(unittest.TestCase):
    def told(self, kind, ranks=3):
        job = Job(ranks, [program("hang"), kind], {"COW_WHY_AFTER": "500ms"})
        try:
            return job.lines_until("mpirun: why: ")
        finally:
            job.end()

    def test_a_circle(self):
        lines = self.told("circle")
        self.assertIn("a circle of ranks that wait for each other: rank 0 in MPI_Recv for rank 1, rank 1 in MPI_Recv for "
                      "rank 2, rank 2 in MPI_Recv for rank 0", lines[-1])
        text = "\n".join(lines)
        self.assertIn("[rank 1] why: receive from rank 2, tag 7, on MPI_COMM_WORLD", text)
        self.assertRegex(text, r"\[rank 0\] why: \d+\.\d s without progress in MPI_Recv at .*mpi_hang")

    def test_collectives_that_do_not_match(self):
        last = self.told("mismatch", 4)[-1]
        self.assertIn("collectives do not match on MPI_COMM_WORLD: ", last)
        self.assertIn("in MPI_Allreduce", last)
        self.assertIn("rank 3 is in MPI_Gather", last)

    def test_collectives_with_other_roots(self):
        last = self.told("roots", 3)[-1]
        self.assertIn("collectives do not match on MPI_COMM_WORLD: ", last)
        self.assertIn("rank 2 is in MPI_Reduce (root 2, 4 bytes)", last)

    def test_a_slow_rank(self):
        self.assertIn("rank 1 does not wait in MPI (it computes, is stopped, or waits elsewhere), and ranks 0 and 2 wait for "
                      "it", self.told("slow")[-1])

    def test_when_asked(self):
        job = Job(3, [program("hang"), "slow"], {})
        try:
            self.assertEqual(job.process.stdout.readline(), "ready\n")
            asked = subprocess.run([MPIRUN, "--why", str(job.process.pid)], capture_output=True, text=True)
            self.assertEqual((asked.returncode, asked.stderr), (0, ""))
            self.assertIn("why: ", job.lines_until("mpirun: why: ")[-1])
        finally:
            job.end()

    def test_when_signalled(self):
        job = Job(3, [program("hang"), "slow"], {})
        try:
            self.assertEqual(job.process.stdout.readline(), "ready\n")
            job.process.send_signal(signal.SIGURG)
            lines = job.lines_until("mpirun: why: ")
            self.assertIn("[rank 0] why: receive from rank 1, tag 7, on MPI_COMM_WORLD", "\n".join(lines))
            self.assertIn("rank 1 does not wait in MPI", lines[-1])
        finally:
            job.end()

    def test_the_option_and_output_to_files(self):
        with tempfile.TemporaryDirectory() as folder:
            name = os.path.join(folder, "out")
            job = Job(3, ["--why-after", "500ms", "--output-filename", name, program("hang"), "circle"], {})
            try:
                lines = job.lines_until("mpirun: why: ")
            finally:
                job.end()
            self.assertIn("[rank 2] why: receive from rank 0, tag 7", "\n".join(lines))
            self.assertIn("a circle of ranks", lines[-1])
            self.assertEqual([os.path.getsize(name + ".%d.err" % rank) for rank in range(3)], [0, 0, 0])

    def test_a_program_that_prints_such_lines(self):
        done = subprocess.run([MPIRUN, "-n", "2", program("hang"), "words"], env=PLAIN, text=True, capture_output=True,
                              timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sorted(done.stdout.splitlines()), ["rank %d was interrupted 0 times" % rank for rank in range(2)])
        for rank in range(2):
            own = ["[rank %d] why: 9.0 s without progress in MPI_Recv at a.out+0x1" % rank,
                   "[rank %d] why: receive from rank 0, tag 7, on MPI_COMM_WORLD (context 2), room for 4 bytes" % rank]
            printed = [line for line in done.stderr.splitlines() if line.startswith("[rank %d] " % rank)]
            self.assertEqual(printed, own * 30)
        self.assertEqual(len(done.stderr.splitlines()), 2 * 2 * 30)

    def test_nobody_to_ask(self):
        for number in ("0", "x", "999999999"):
            asked = subprocess.run([MPIRUN, "--why", number], capture_output=True, text=True)
            self.assertNotEqual(asked.returncode, 0)
            self.assertIn("--why " + number, asked.stderr)


class Leaks(unittest.TestCase):
    def run_leaks(self, arguments, environment):
        done = subprocess.run([MPIRUN, "-n", "1", program("leaks")] + arguments, env={**PLAIN, **environment}, text=True,
                              capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stderr

    def test_all_is_listed(self):
        text = self.run_leaks(["leak"], {"COW_LEAKS": "yes"})
        for words in ('1 communicator "galley" made by MPI_Comm_dup at ', "1 datatype made by MPI_Type_contiguous at ",
                      "1 info object made by MPI_Info_create at ", "1 group made by MPI_Comm_group at ",
                      "1 request made by MPI_Irecv at ",
                      "never received: a message of 4 bytes from rank 0, tag 42, on galley"):
            self.assertIn(words, text)
        self.assertIn("mpi_leaks", text)
        self.assertEqual(len(text.splitlines()), 6, text)

    def test_nothing_is_said(self):
        self.assertEqual(self.run_leaks([], {"COW_LEAKS": "yes"}), "")
        self.assertEqual(self.run_leaks(["leak"], {}), "")


if __name__ == "__main__":
    unittest.main()
