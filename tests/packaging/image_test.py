"""packaging/Dockerfile: its steps, from a context without what .dockerignore leaves out, end with an image that works."""
import pathlib
import shutil
import sys
import tempfile
import unittest

import bare_root
import dockerfile
import hello
import source_tree


class Image(unittest.TestCase):
    def test_compiles_and_runs_with_the_plain_names(self):
        context = pathlib.Path(tempfile.mkdtemp(prefix="context_")) / "cowmpi"
        self.addCleanup(shutil.rmtree, context.parent)
        source_tree.copy_to(context)
        stages = dockerfile.build(context / "packaging/Dockerfile", context,
                                  lambda root: source_tree.settings_for(root, "/debs"))
        for stage in stages:
            self.addCleanup(bare_root.give_back, stage.root, stage.work)
        image = stages[-1]
        (image.place("/home/mpi") / "ring.c").write_text(hello.PROGRAM, encoding="utf-8")
        hello.check(self, image.run("mpicc ring.c -o ring && mpirun -n 2 ./ring"))
        hello.check(self, image.run("cp ring.c ring.cpp && mpicxx ring.cpp -o ring && mpiexec -n 2 ./ring"))


if __name__ == "__main__":
    bare_root.prepare()
    sys.exit(unittest.main(verbosity=2))
