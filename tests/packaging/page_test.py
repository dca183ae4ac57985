"""Every block of docs/install.md that says it is tried is tried by one of the tests beside this one."""
import pathlib
import unittest

import page


class Page(unittest.TestCase):
    def test_every_named_block_is_run(self):
        tests = "".join(file.read_text(encoding="utf-8") for file in pathlib.Path(__file__).parent.glob("*_test.py"))
        self.assertEqual({name for name in page.names() if f'"{name}"' not in tests}, set())

    def test_every_shell_block_is_named(self):
        self.assertEqual(page.PAGE.read_text(encoding="utf-8").count("```sh"), len(page.names()))


if __name__ == "__main__":
    unittest.main()
