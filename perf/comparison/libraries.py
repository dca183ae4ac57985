"""The libraries that are compared: how each compiles a program and starts a job."""
import dataclasses
import os
import re
import shutil
import subprocess

HERE = os.path.dirname(os.path.realpath(__file__))
PROGRAMS = os.path.join(HERE, "programs")
PERF = os.path.dirname(HERE)
HOSTS = os.path.join(os.path.dirname(PERF), "tests", "hosts", "hosts")
FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra")
CXX_FLAGS = ("-std=c++20", "-O3")
BEFORE = "before"  # the name of an older state of ours


class BrokenProgram(Exception):
    """A program does not compile with a library; the text is what the compiler said."""


@dataclasses.dataclass
class Library:
    name: str      # of its column
    version: str
    compiler: tuple
    link: tuple    # words after the sources
    launcher: tuple
    ours: bool = False
    cxx: tuple = ()

    def start(self, ranks):
        return [*self.launcher, "-n", str(ranks)]


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout or done.stderr).strip()


def installed(prefix):
    """Our library as installed in a prefix."""
    bin_ = os.path.join(prefix, "bin")
    for tool in ("mpicc", "mpirun"):
        if not os.access(os.path.join(bin_, tool), os.X_OK):
            raise FileNotFoundError(f"{prefix} has no bin/{tool}: install the library there (cmake --install build/release)")
    return Library("COW MPI", f"installed in {prefix}", (os.path.join(bin_, "mpicc"),), (),
                   (os.path.join(bin_, "mpirun"),), True, cxx=(os.path.join(bin_, "mpicxx"),))


def built(build):
    """Our library as it lies in a build folder."""
    folder, mpirun = os.path.join(build, "src"), os.path.join(build, "bin", "mpirun")
    for needed in (os.path.join(folder, "libmpi_abi.so"), mpirun):
        if not os.path.exists(needed):
            raise FileNotFoundError(f"{needed} does not exist: build it (ninja -C {build} mpi_abi mpirun cow-agent)")
    link = (f"-L{folder}", f"-Wl,-rpath,{folder}", "-lmpi_abi")
    include = (f"-I{os.path.join(build, 'include')}", f"-I{os.path.join(os.path.dirname(PERF), 'include')}")  # mpi.h, mpix.h
    return Library("COW MPI", f"built in {build}", ("cc", *include), link, (mpirun,), True, cxx=("c++", *include))


def before(build):
    """An older state of our library, as it lies in a build folder."""
    return dataclasses.replace(built(build), name=BEFORE, ours=False)


def newest_of_ours(root):
    """The library last made: people measure what they have just built, and often forget to install it."""
    prefix, build = os.path.join(root, "build", "prefix"), os.path.join(root, "build", "release")
    made = [(os.path.getmtime(path), make, folder) for path, make, folder in (
        (os.path.join(build, "src", "libmpi_abi.so.1"), built, build),
        (os.path.join(prefix, "lib", "libmpi_abi.so.1"), installed, prefix)) if os.path.exists(path)]
    if not made:
        raise FileNotFoundError("there is no library to measure: build it (perf/demo does), or say --prefix or --build")
    return max(made, key=lambda one: one[0])[1:]


def ours(root, prefix=None, build=None):
    """Our library as installed in a prefix, or as built, or the newest one."""
    if prefix:
        return installed(os.path.abspath(prefix))
    if build:
        return built(os.path.abspath(build))
    make, folder = newest_of_ours(root)
    return make(folder)


def peers():
    """Debian's MPICH and Open MPI, as far as they are here."""
    found = []
    if shutil.which("mpicc.mpich") and shutil.which("mpiexec.mpich"):
        text = re.search(r"Version:\s*(\S+)", first_line("mpiexec.mpich", "--version"))
        found.append(Library("MPICH", text.group(1) if text else "?", ("mpicc.mpich",), (), ("mpiexec.mpich",),
                             cxx=("mpicxx.mpich",)))
    if shutil.which("mpicc.openmpi") and shutil.which("mpirun.openmpi"):
        text = re.search(r"(\d+\.\d+\S*)", first_line("mpirun.openmpi", "--version"))
        found.append(Library("Open MPI", text.group(1) if text else "?", ("mpicc.openmpi",), (),
                             ("mpirun.openmpi", "--oversubscribe", "--allow-run-as-root"), cxx=("mpicxx.openmpi",)))
    return found


def compile_program(source, target, compiler, link=(), flags=FLAGS):
    """Compiles a program unless what lies there was made by the same command from the same source."""
    command = [*compiler, *flags, source, "-o", target, *link]
    stamp, words = target + ".command", " ".join(command)
    sources = [source, os.path.join(PROGRAMS, "measure.h")]
    if os.path.exists(target) and os.path.exists(stamp):
        with open(stamp) as text:
            if text.read() == words and os.path.getmtime(target) > max(map(os.path.getmtime, sources)):
                return target
    os.makedirs(os.path.dirname(target), exist_ok=True)
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise BrokenProgram(f"{words}\n{done.stderr.strip()}")
    with open(stamp, "w") as text:
        text.write(words)
    return target


def program_of(library, name, work):
    """A program as compiled with a library, or (None) without MPI, in a folder of `work`."""
    source = os.path.join(PROGRAMS, f"{name}.c")
    if library is None:
        return compile_program(source, os.path.join(work, "machine", name), ("cc",))
    target = os.path.join(work, library.name.replace(" ", "").lower(), name)
    if name == "pack":
        return compile_program(os.path.join(PERF, "pack.cpp"), target, library.cxx, library.link, CXX_FLAGS)
    return compile_program(source, target, library.compiler, library.link)
