"""The Debian packages: built from this tree; installed on a bare Debian, and beside MPICH and Open MPI; used; removed."""
import os
import pathlib
import re
import shutil
import sys
import unittest

import bare_root
import hello
import page

SOURCE = pathlib.Path(os.environ["COW_SOURCE"])
DEBS = SOURCE / "build/deb"
PROJECT = """
cmake_minimum_required(VERSION 3.16)
project(user C)
find_package(cowmpi REQUIRED)
add_executable(by_cmake ring.c)
target_link_libraries(by_cmake cowmpi::cowmpi)
"""
# What is not the packages': times, caches and diaries of dpkg and its helpers.
NOT_OURS = {"proc", "sys", "dev", "tmp", "var/cache", "var/log", "home"}
NOT_OURS_FILES = re.compile(r"var/lib/dpkg/(status|available|lock|diversions|statoverride)|var/lib/apt/")


def setUpModule():
    bare_root.run("/bin/sh", "-ec", page.commands("packages build"), cwd=SOURCE)


def tearDownModule():
    shutil.rmtree(DEBS / "source", ignore_errors=True)


class Lintian(unittest.TestCase):
    @unittest.skipUnless(shutil.which("lintian"), "lintian is not installed")
    def test_finds_no_errors(self):
        bare_root.run("lintian", "--allow-root", "--fail-on", "error", *sorted(DEBS.glob("*.deb")))


class InARoot(unittest.TestCase):
    def setUp(self):
        self.root, self.work = bare_root.lend()
        self.addCleanup(bare_root.give_back, self.root, self.work)
        self.root.run("useradd --create-home user")
        self.home = self.root.folder / "home/user"
        (self.home / "ring.c").write_text(hello.PROGRAM, encoding="utf-8")
        (self.home / "CMakeLists.txt").write_text(PROJECT, encoding="utf-8")
        (self.home / "build/deb").mkdir(parents=True)
        for deb in DEBS.glob("*.deb"):
            shutil.copy(deb, self.home / "build/deb")

    def type(self, name):
        """What the page tells root to type, in the user's folder."""
        return self.root.run("cd /home/user\n" + page.commands(name))

    def alternative(self, group):
        return re.search(r"^Value: (.*)$", self.root.run(f"update-alternatives --query {group}"), re.M)[1]

    def runs(self, script):
        """A script of a user ends with a job of two ranks, which answers as such."""
        hello.check(self, self.root.run(script, user="user"))

    def ours(self, command):
        """The command that is called so is one of this library's."""
        return "/cowmpi/" in self.root.run(f"readlink -f $(command -v {command})")


class Building(InARoot):
    def test_the_page_installs_what_the_build_asks_for(self):
        shutil.copytree(SOURCE / "packaging", self.home / "packaging")
        self.type("packages needs")
        self.root.run("dpkg-checkbuilddeps /home/user/packaging/debian/control")


class OnABareDebian(InARoot):
    def test_needs_nothing_that_the_packages_do_not_name(self):
        self.type("packages install")
        self.runs(page.commands("packages use"))
        # Nobody else is there: the plain names are this library's.
        self.runs("mpicc ring.c -o plain && mpirun -n 2 ./plain && mpiexec -n 2 ./plain")
        self.root.run("cowinfo --version && cow-examine --help", user="user")
        self.type("packages remove")
        left = [path for path in self.root.listing({"proc", "home", "var/lib/apt", "var/cache", "var/log"})
                if re.search(r"cowmpi|libmpi_abi|cow-|bin/mpi|alternatives/mpi", path)]
        self.assertEqual(left, [])


class BesideMpichAndOpenMpi(InARoot):
    def setUp(self):
        super().setUp()
        self.root.run("apt-get install -y libfabric1 libpmix2 libhwloc15 gcc libc6-dev make cmake pkg-config"
                      " mpich libmpich-dev openmpi-bin libopenmpi-dev")

    def test_changes_nothing_until_it_is_chosen_and_leaves_nothing(self):
        before = self.files()
        self.root.run("dpkg -i /home/user/build/deb/*.deb")
        for group in ("mpi", "mpirun"):
            self.assertIn("openmpi", self.alternative(group))
        self.runs("mpicc.cowmpi ring.c && mpirun.cowmpi -n 2 ./a.out")
        self.runs("gcc ring.c -o by_pc $(pkg-config --cflags --libs cowmpi) && mpirun.cowmpi -n 2 ./by_pc")
        self.runs("cmake -B by_cmake . && cmake --build by_cmake && mpirun.cowmpi -n 2 by_cmake/by_cmake")
        self.assertFalse(self.ours("mpicc"))
        self.type("packages choose")
        for command in ("mpicc", "mpicxx", "mpic++", "mpiCC", "mpirun", "mpiexec"):
            self.assertTrue(self.ours(command), command)
        self.runs("mpicc ring.c -o plain && mpirun -n 2 ./plain")
        triplet = self.root.run("gcc -print-multiarch").strip()
        self.root.run(f"update-alternatives --set mpi-{triplet} /usr/lib/{triplet}/cowmpi/include")
        self.runs("gcc ring.c -o by_alternative $(pkg-config --cflags --libs mpi-c) && mpirun -n 2 ./by_alternative")
        # While it is chosen, too, it goes without a trace: the others take its place.
        self.type("packages remove")
        for group in ("mpi", "mpirun"):
            self.assertIn("openmpi", self.alternative(group))
        after = self.files()
        self.assertEqual(sorted(after - before), [], "left behind")
        self.assertEqual(sorted(before - after), [], "taken away")

    def files(self):
        return {path for path in self.root.listing(NOT_OURS) if not NOT_OURS_FILES.match(path)}


if __name__ == "__main__":
    bare_root.prepare("dpkg-buildpackage", "dh", "help2man")
    sys.exit(unittest.main(verbosity=2))
