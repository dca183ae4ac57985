"""An installed tree for tests: installed into one folder and moved to another, used with no variable set."""
import os
import pathlib
import shutil
import tempfile

import support

# What a login shell has, and nothing that helps to find an MPI.
PLAIN = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8"}
PROGRAM = """
#include <mpi.h>
#ifdef __cplusplus
#include <cstdio>
#else
#include <stdio.h>
#endif
int main(int argc, char **argv)
{
    char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length, size;
    MPI_Init(&argc, &argv);
    MPI_Get_library_version(text, &length);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    printf("%.7s %d\\n", text, size);
    MPI_Finalize();
    return 0;
}
"""


class Installed:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="install_test_"))
        self.first = self.folder / "first"
        support.run(os.environ["COW_CMAKE"], "--install", support.BUILD, "--prefix", self.first)
        self.prefix = self.folder / "moved" / "cow"
        self.prefix.parent.mkdir()
        self.first.rename(self.prefix)
        self.blank_prefix = self.folder / "a name with blanks"  # the same tree
        shutil.copytree(self.prefix, self.blank_prefix, symlinks=True)
        for suffix in ("c", "cpp"):
            (self.folder / f"program.{suffix}").write_text(PROGRAM, encoding="utf-8")

    def remove(self):
        shutil.rmtree(self.folder)

    def run(self, *command, cwd=None, **changes):
        return support.run(*command, env={**PLAIN, **changes}, cwd=cwd or self.folder)
