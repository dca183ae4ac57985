"""docs/install.md, "Without root": a user of a machine that has compilers and no libraries for developers."""
import sys
import unittest

import bare_root
import hello
import page
import source_tree

# What the page takes for given.
GIVEN = "g++ cmake ninja-build pkg-config python3"


class WithoutRoot(unittest.TestCase):
    def setUp(self):
        self.root, work = bare_root.lend()
        self.addCleanup(bare_root.give_back, self.root, work)
        self.root.run(f"apt-get install -y {GIVEN}\nuseradd --create-home user")
        self.env = source_tree.settings_for(self.root, "/home/user", "user")
        checkout = self.root.folder / "home/user/checkout"
        source_tree.copy_to(checkout)
        (checkout / "ring.c").write_text(hello.PROGRAM, encoding="utf-8")
        self.root.run("chown -R user: /home/user")

    def test_libraries_unpacked_in_the_home_do(self):
        script = "cd checkout\n" + "".join(page.commands(name) for name in ("home libraries", "home build", "home use"))
        hello.check(self, self.root.run(script, user="user", env=self.env))


if __name__ == "__main__":
    bare_root.prepare()
    sys.exit(unittest.main(verbosity=2))
