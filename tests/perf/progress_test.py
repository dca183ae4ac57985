"""cmake/progress.sh: a command that takes long is followed by words of how far it has come, on a terminal and elsewhere.

progress_test.py SOURCE_ROOT"""

import os
import pty
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = sys.argv.pop(1)
NINJA = r"""printf '[1/4] a\nplain\n[2/4] b\n'; sleep 6; printf '[4/4] c'; exit """


def watch(log, command):
    return ["bash", "-uc", f". {ROOT}/cmake/progress.sh; watched {log} build sh -c \"$1\"; echo status $?", "-", command]


class Progress(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.log = os.path.join(self.folder.name, "log")

    def tearDown(self):
        self.folder.cleanup()

    def test_lines_now_and_then(self):
        done = subprocess.run(watch(self.log, NINJA + "0"), capture_output=True, text=True, check=True)
        self.assertRegex(done.stdout, r"\A(  build: 50% \(2 of 4 steps\), \d+ s, about \d+ s to go\n)+  build: done in \d+ s\nstatus 0\n\Z")
        self.assertEqual(done.stderr, "")
        with open(self.log, encoding="utf-8") as file:
            self.assertEqual(file.read(), "[1/4] a\nplain\n[2/4] b\n[4/4] c")

    def test_tests_are_counted(self):
        words = "printf ' 3/12 Test  #1: a\\n'; sleep 6"
        done = subprocess.run(watch(self.log, words), capture_output=True, text=True, check=True)
        self.assertRegex(done.stdout, r"\A  build: 25% \(3 of 12 steps\), \d+ s")

    def test_what_the_command_leaves_running_is_not_waited_for(self):
        done = subprocess.run(watch(self.log, "sleep 20 & exit 0"), capture_output=True, text=True, check=True, timeout=10)
        self.assertRegex(done.stdout, r"\A  build: done in \d s\nstatus 0\n\Z")

    def test_the_status_is_that_of_the_command(self):
        done = subprocess.run(watch(self.log, "echo words; exit 3"), capture_output=True, text=True, check=True)
        self.assertRegex(done.stdout, r"\A  build: failed after \d+ s\nstatus 3\n\Z")

    def test_one_line_on_a_terminal(self):
        main, other = pty.openpty()
        job = subprocess.Popen(watch(self.log, NINJA + "0"), stdout=other, stderr=other)
        os.close(other)
        text = b""
        try:
            while piece := os.read(main, 4096):
                text += piece
        except OSError:
            pass  # how Linux tells that nobody writes any more
        os.close(main)
        self.assertEqual(job.wait(), 0)
        shown = text.decode()
        self.assertEqual(len(re.findall("\n", shown)), 2)
        self.assertTrue(shown.startswith("\r  build: 0 s"))
        self.assertIn("\r  build: 50% (2 of 4 steps)", shown)


if __name__ == "__main__":
    unittest.main()
