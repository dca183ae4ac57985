"""Installs into one folder, moves it to another, and uses it there with no variable set."""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import unittest

import support
from tree import PLAIN, Installed

PROJECT = """
cmake_minimum_required(VERSION 3.16)
project(user {languages})
find_package({package} REQUIRED)
{programs}
"""

tree = None
folder = None
prefix = None
blank_prefix = None


def setUpModule():
    global tree, folder, prefix, blank_prefix
    tree = Installed()
    folder, prefix, blank_prefix = tree.folder, tree.prefix, tree.blank_prefix


def tearDownModule():
    tree.remove()


def run(*command, **changes):
    return tree.run(*command, **changes)


def fails(*command, **changes):
    """Runs a command that must fail; returns its status and what it printed on standard error."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False,
                          env={**PLAIN, **changes}, cwd=folder)
    assert done.returncode != 0, f"{command} succeeded: {done.stdout}"
    return done.returncode, done.stderr


class Tree(unittest.TestCase):
    def test_names_no_folder_of_the_build_or_of_the_first_prefix(self):
        for file in prefix.rglob("*"):
            if file.is_file():
                data = file.read_bytes()
                for place in (support.SOURCE, support.BUILD, folder / "first"):
                    self.assertNotIn(str(place).encode(), data, file)

    def test_has_what_it_promises(self):
        for name in ("bin/mpirun", "bin/mpiexec", "bin/mpicc", "bin/mpicxx", "bin/mpic++", "bin/mpiCC", "bin/mpifort",
                     "bin/cowinfo", "lib/libmpi_abi.so", "lib/libmpi_abi.so.1", "include/mpi.h", "include/mpix.h",
                     "include/mpi_removed.h", "lib/pkgconfig/mpi-c.pc", "lib/pkgconfig/mpi-cxx.pc",
                     "lib/pkgconfig/cowmpi.pc", "lib/cmake/cowmpi/cowmpiConfig.cmake"):
            self.assertTrue((prefix / name).exists(), name)


class Wrappers(unittest.TestCase):
    def build_and_run(self, wrapper, source):
        program = folder / f"by_{wrapper}"
        run(blank_prefix / "bin" / wrapper, "-Wall", "-Wextra", "-Werror", source, "-o", program)
        self.assertEqual(run(program), "COW MPI 1\n")
        program.unlink()

    def test_c(self):
        self.build_and_run("mpicc", "program.c")

    def test_cxx(self):
        self.build_and_run("mpicxx", "program.cpp")
        self.build_and_run("mpic++", "program.cpp")
        self.build_and_run("mpiCC", "program.cpp")

    def test_compiling_and_linking_apart(self):
        run(blank_prefix / "bin/mpicc", "-Werror", "-c", "program.c", "-o", "program.o")
        run(blank_prefix / "bin/mpicc", "program.o", "-o", "apart")
        self.assertEqual(run(folder / "apart"), "COW MPI 1\n")

    def test_found_through_links_and_path(self):
        link = folder / "compiler"
        link.symlink_to(blank_prefix / "bin/mpicc")
        shown = run(link, "-show", "program.c")
        self.assertIn(str(blank_prefix / "include"), shown)
        by_path = run("mpicc", "-show", "program.c", PATH=f"{blank_prefix}/bin:{PLAIN['PATH']}")
        self.assertEqual(shown, by_path)

    def test_show_is_what_is_run(self):
        """A compiler that prints its arguments is given the same as -show says."""
        spy = folder / "spy"
        spy.write_text("#!/bin/sh\nprintf '%s\\n' \"$0\" \"$@\"\n", encoding="utf-8")
        spy.chmod(0o755)
        for variable, wrapper in (("COW_CC", "mpicc"), ("MPICH_CC", "mpicc"), ("OMPI_CC", "mpicc"),
                                  ("COW_CXX", "mpicxx")):
            for arguments in (["a b.c", "-DX='\"$y\"'"], ["-c", "x.c"], ["-O2"], ["x.o", "-o", "x", ""]):
                with self.subTest(wrapper=wrapper, arguments=arguments):
                    # the compiler's own name may be several words, so the spy's must have no blank
                    environment = {variable: "./spy"}
                    ran = run(blank_prefix / "bin" / wrapper, *arguments, **environment).split("\n")[:-1]
                    shown = run(blank_prefix / "bin" / wrapper, "-show", *arguments, **environment)
                    self.assertEqual(shlex.split(shown), ran)

    def asked(self, option, *more, wrapper="mpicc", **environment):
        """The answer to a question, with one dash and with two."""
        answers = {run(blank_prefix / "bin" / wrapper, dashes + option, *more, **environment) for dashes in ("-", "--")}
        self.assertEqual(len(answers), 1)
        return answers.pop()

    def test_show_by_each_of_its_names(self):
        self.assertEqual(self.asked("show", "-c", "x.c"), self.asked("showme", "-c", "x.c"))
        self.assertEqual(shlex.split(self.asked("show", "-c", "x.c"))[1:], [f"-I{blank_prefix}/include", "-c", "x.c"])

    def test_parts_of_the_command(self):
        compile_options, link_options = [f"-I{blank_prefix}/include"], [
            f"-L{blank_prefix}/lib", f"-Wl,-rpath,{blank_prefix}/lib,--enable-new-dtags", "-lmpi_abi"]
        for option in ("showme:compile", "compile-info", "compile_info"):
            self.assertEqual(shlex.split(self.asked(option)), compile_options)
        for option in ("showme:link", "link-info", "link_info"):
            self.assertEqual(shlex.split(self.asked(option)), link_options)
        self.assertEqual(shlex.split(self.asked("showme:incdirs")), [f"{blank_prefix}/include"])
        self.assertEqual(shlex.split(self.asked("showme:libdirs")), [f"{blank_prefix}/lib"])
        self.assertEqual(self.asked("showme:libs"), "mpi_abi\n")

    def test_version_and_help(self):
        self.assertRegex(self.asked("showme:version"), r"^mpicc: COW MPI \d+\.\d+\.\d+ \(Language: C\)\n$")
        self.assertIn("(Language: C++)", self.asked("showme:version", wrapper="mpic++"))
        self.assertRegex(self.asked("showme:help"), r"(?s)^mpicc: compiles and links C programs.*-showme:version.*moved\.\n$")
        status, message = fails(blank_prefix / "bin/mpicc", "--showme:flags")
        self.assertEqual((status, message), (1, "mpicc: -showme:flags is not known; -showme:help lists what is\n"))

    def test_another_compiler(self):
        self.assertEqual(self.asked("showme:command"), "cc\n")
        self.assertEqual(self.asked("showme:command", MPICH_CC="ccache gcc"), "ccache gcc\n")
        self.assertEqual(self.asked("showme:command", "-cc=clang", MPICH_CC="gcc"), "clang\n")
        self.assertEqual(self.asked("showme:command", "-cxx=clang++", wrapper="mpicxx"), "clang++\n")
        self.assertEqual(shlex.split(self.asked("show", "-cc=clang", "-c", "x.c")),
                         ["clang", f"-I{blank_prefix}/include", "-c", "x.c"])

    def test_compiling_only_has_no_options_for_the_linker(self):
        self.assertNotIn("-l", shlex.split(run(blank_prefix / "bin/mpicc", "-show", "-c", "x.c")))
        self.assertNotIn("-lmpi_abi", run(blank_prefix / "bin/mpicc", "-show", "-c", "x.c"))
        self.assertIn("-lmpi_abi", run(blank_prefix / "bin/mpicc", "-show", "x.c"))

    def test_fortran_says_that_it_is_not_there(self):
        status, message = fails(blank_prefix / "bin/mpifort", "x.f90")
        self.assertEqual(status, 1)
        self.assertIn("does not support Fortran yet", message)


class Launcher(unittest.TestCase):
    def test_runs_ranks_in_the_moved_tree(self):
        program = folder / "launched"
        run(prefix / "bin/mpicc", "program.c", "-o", program)
        for launcher in ("mpirun", "mpiexec"):
            for where in (prefix, blank_prefix):
                with self.subTest(launcher=launcher, where=where):
                    self.assertEqual(run(where / "bin" / launcher, "-n", "2", program), "COW MPI 2\n" * 2)


class Cowinfo(unittest.TestCase):
    def test_tells_versions_and_settings(self):
        output = run(prefix / "bin/cowinfo")
        for words in (r"COW MPI \d+\.\d+\.\d+, MPI 5\.0", r"PMIx +\d+\.\d+", r"hwloc +API \d+", r"libfabric +\S+",
                      r"Fortran is not supported yet", r"COW_CHECKS=yes +choice; default"):
            self.assertRegex(output, words)

    def test_tells_where_a_value_came_from(self):
        output = run(prefix / "bin/cowinfo", "--settings", COW_EAGER_LIMIT="8K")
        self.assertRegex(output, r"COW_EAGER_LIMIT=8K +size in bytes; from the environment")

    def test_refuses_unknown_and_malformed_settings_by_name(self):
        _, message = fails(prefix / "bin/cowinfo", COW_EAGER_LIMT="8K")
        self.assertIn("COW_EAGER_LIMT: no such setting (did you mean COW_EAGER_LIMIT?)", message)
        _, message = fails(prefix / "bin/cowinfo", "--settings", COW_LEAKS="perhaps")
        self.assertIn("COW_LEAKS=perhaps: expected yes or no", message)
        run(prefix / "bin/cowinfo", COW_CC="clang", COW_CXX="clang++")  # those of the compiler wrappers are known

    def test_lists_the_unsupported_functions(self):
        self.assertEqual(run(prefix / "bin/cowinfo", "--unsupported"),
                         (support.SOURCE / "src/api/unsupported.txt").read_text(encoding="utf-8"))

    def test_lists_the_providers(self):
        self.assertRegex(run(prefix / "bin/cowinfo", "--providers"), r"(?m)^tcp;ofi_rxm +(yes|-) ")

    def test_refuses_options_that_it_does_not_have(self):
        status, message = fails(prefix / "bin/cowinfo", "--provider")
        self.assertEqual(status, 2)
        self.assertIn("no such option: --provider", message)


class PkgConfig(unittest.TestCase):
    def test_each_package(self):
        for package, compiler, source in (("mpi-c", support.C_COMPILER, "program.c"),
                                          ("mpi-cxx", support.CXX_COMPILER, "program.cpp"),
                                          ("cowmpi", support.C_COMPILER, "program.c")):
            with self.subTest(package=package):
                options = run("pkg-config", "--cflags", "--libs", package,
                              PKG_CONFIG_PATH=str(prefix / "lib/pkgconfig"))
                program = folder / f"by_{package}"
                run(compiler, source, "-o", program, *shlex.split(options))
                self.assertEqual(run(program), "COW MPI 1\n")


class CMake(unittest.TestCase):
    def build_and_run(self, name, package, targets, *definitions, hide=(), **environment):
        """Builds the programs of a project of that name and runs them; returns what CMake said. `hide`: what is not
        there meanwhile."""
        project = folder / name
        project.mkdir()
        programs = ""
        for language, (suffix, target) in targets.items():
            shutil.copy(folder / f"program.{suffix}", project)
            programs += f"add_executable({language}_program program.{suffix})\n"
            programs += f"target_link_libraries({language}_program PRIVATE {target})\n"
        text = PROJECT.format(languages=" ".join(targets), package=package, programs=programs)
        (project / "CMakeLists.txt").write_text(text, encoding="utf-8")
        hidden = [(prefix / file, folder / f"hidden {pathlib.Path(file).name}") for file in hide]
        for file, aside in hidden:
            file.rename(aside)
        try:
            output = run(os.environ["COW_CMAKE"], "-S", project, "-B", project / "build", *definitions, **environment)
            run(os.environ["COW_CMAKE"], "--build", project / "build", **environment)
        finally:
            for file, aside in hidden:
                aside.rename(file)
        for language in targets:
            self.assertEqual(run(project / "build" / f"{language}_program"), "COW MPI 1\n")
        return output

    # Where another MPI is installed, FindMPI would take its wrappers instead of those that are hidden here.
    NO_WRAPPERS = ["-DMPI_SKIP_COMPILER_WRAPPER=ON"] if shutil.which("mpicc", path=PLAIN["PATH"]) else []
    MPI = {"C": ("c", "MPI::MPI_C"), "CXX": ("cpp", "MPI::MPI_CXX")}
    WRAPPERS = ("bin/mpicc", "bin/mpicxx", "bin/mpic++", "bin/mpiCC", "bin/mpifort")

    def assert_found(self, output, where):
        for language in ("C", "CXX"):
            self.assertRegex(output, rf"Found MPI_{language}: .*" + re.escape(str(where)) + r".*5\.0")

    def test_find_mpi_by_the_wrappers(self):
        output = self.build_and_run("wrappers_prefix", "MPI", self.MPI, f"-DCMAKE_PREFIX_PATH={prefix}")
        self.assert_found(output, prefix)

    def test_find_mpi_by_the_wrappers_on_the_path(self):
        for name, where in (("wrappers_path", prefix), ("wrappers_blank_path", blank_prefix)):
            with self.subTest(name):
                output = self.build_and_run(name, "MPI", self.MPI, PATH=f"{where}/bin:{PLAIN['PATH']}")
                self.assert_found(output, where)

    def test_find_mpi_without_the_wrappers(self):
        output = self.build_and_run("no_wrappers_prefix", "MPI", self.MPI, f"-DCMAKE_PREFIX_PATH={prefix}",
                                    *self.NO_WRAPPERS, hide=self.WRAPPERS)
        self.assert_found(output, prefix)

    def test_find_mpi_without_the_wrappers_by_environment(self):
        """As environment modules set it up."""
        output = self.build_and_run("no_wrappers_environment", "MPI", self.MPI, *self.NO_WRAPPERS, hide=self.WRAPPERS,
                                    PATH=f"{prefix}/bin:{PLAIN['PATH']}", CMAKE_PREFIX_PATH=str(prefix))
        self.assert_found(output, prefix)

    def test_own_package(self):
        own = {"C": ("c", "cowmpi::cowmpi"), "CXX": ("cpp", "cowmpi::cowmpi")}
        self.build_and_run("own_package", "cowmpi 0.1 CONFIG", own, f"-DCMAKE_PREFIX_PATH={prefix}")


if __name__ == "__main__":
    unittest.main()
