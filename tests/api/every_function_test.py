"""Every function that the library offers is called by some test that looks at what it does. Tests of refusals only do
not count: those are every_refusal_test.py's."""
import re
import unittest

import support
import table

REFUSAL = re.compile(r"EXPECT_REFUSED|EXPECT_MPI_ERROR|ASSERT_MPI_ERROR|\bROW\(")


def lines_that_count():
    for path in sorted((support.SOURCE / "tests").rglob("*")):
        if path.suffix not in (".c", ".cpp", ".hpp") or path.name == "refusals_test.cpp":
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            if not REFUSAL.search(line):
                yield line.split("//")[0]


class EveryFunction(unittest.TestCase):
    def test_is_called_by_a_test(self):
        missing = (support.SOURCE / "src/api/unsupported.txt").read_text(encoding="utf-8").split()
        called = set()
        for line in lines_that_count():
            called.update(re.findall(r"\bMPI_[A-Z]\w+", line))
        idle = [f.name for f in table.read_functions() if f.name not in called and f.name not in missing]
        self.assertEqual(idle, [], "no test calls these")


if __name__ == "__main__":
    unittest.main()
