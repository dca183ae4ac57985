"""Meson and Autoconf find the installed tree as they find other MPI libraries. (CMake: install_test.py)"""
import shutil
import unittest

from tree import PLAIN, Installed

MESON = """
project('user', 'c', 'cpp')
executable('by_c', 'program.c', dependencies: dependency('mpi', language: 'c'))
executable('by_cpp', 'program.cpp', dependencies: dependency('mpi', language: 'cpp'))
"""
CONFIGURE = """
AC_INIT([user], [1])
AC_PROG_CC
AC_PROG_CXX
AX_MPI([], [AC_MSG_ERROR([no MPI for C])])
AC_LANG_PUSH([C++])
AX_MPI([], [AC_MSG_ERROR([no MPI for C++])])
AC_LANG_POP
AC_CONFIG_FILES([Makefile])
AC_OUTPUT
"""
MAKEFILE = """
all: by_c by_cpp
by_c: program.c
\t@MPICC@ @CFLAGS@ -o $@ program.c @MPILIBS@
by_cpp: program.cpp
\t@MPICXX@ @CXXFLAGS@ -o $@ program.cpp @MPILIBS@
"""

tree = None


def setUpModule():
    global tree
    tree = Installed()


def tearDownModule():
    tree.remove()


class BuildSystems(unittest.TestCase):
    def project(self, name, **files):
        """A folder with the two programs and files of the build system."""
        folder = tree.folder / name
        folder.mkdir()
        for suffix in ("c", "cpp"):
            shutil.copy(tree.folder / f"program.{suffix}", folder)
        for file, text in files.items():
            (folder / file.replace("_", ".")).write_text(text, encoding="utf-8")
        return folder

    def expect_programs(self, folder):
        for program in ("by_c", "by_cpp"):
            self.assertEqual(tree.run(folder / program), "COW MPI 1\n")

    @unittest.skipUnless(shutil.which("meson"), "meson is not installed")
    def test_meson(self):
        # Meson asks pkg-config for Open MPI by name before it looks for wrappers.
        nothing = tree.folder / "no packages"
        nothing.mkdir()
        for number, prefix in enumerate((tree.prefix, tree.blank_prefix)):
            with self.subTest(prefix=prefix):
                folder = self.project(f"meson{number}", meson_build=MESON)
                environment = {"PATH": f"{prefix}/bin:{PLAIN['PATH']}", "PKG_CONFIG_LIBDIR": str(nothing)}
                output = tree.run("meson", "setup", folder / "build", folder, **environment)
                for language in ("c", "cpp"):
                    self.assertRegex(output, rf"MPI for {language} found: YES \d+\.\d+\.\d+")
                tree.run("meson", "compile", "-C", folder / "build", **environment)
                self.expect_programs(folder / "build")

    @unittest.skipUnless(shutil.which("autoconf") and shutil.which("aclocal"), "autoconf or aclocal is not installed")
    def test_autoconf(self):
        folder = self.project("autoconf", configure_ac=CONFIGURE, Makefile_in=MAKEFILE)
        environment = {"PATH": f"{tree.prefix}/bin:{PLAIN['PATH']}"}
        tree.run("aclocal", cwd=folder)
        if "AC_DEFUN([AX_MPI]" not in (folder / "aclocal.m4").read_text(encoding="utf-8"):
            self.skipTest("AX_MPI is not installed (autoconf-archive)")
        tree.run("autoconf", cwd=folder)
        tree.run("./configure", cwd=folder, **environment)
        tree.run("make", cwd=folder, **environment)
        self.expect_programs(folder)


if __name__ == "__main__":
    unittest.main()
