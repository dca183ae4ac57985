"""Programs of MPICH and Open MPI under this mpirun, with and without the names that those libraries give rank and size
(COW_RANK_NAMES): they run the same, since no name makes them believe that a launcher of their own awaits them. And their
launchers, started by a rank, start jobs of the right size.

peers.py MPIRUN; exit status 77: neither library is installed."""

import os
import shutil
import subprocess
import sys
import tempfile

PROGRAM = r"""
#include <mpi.h>
#include <stdio.h>
int main(int argc, char** argv) {
  int rank, size;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  printf("rank %d of %d\n", rank, size);
  MPI_Finalize();
  return 0;
}
"""

# The compiler's wrapper, and the launcher with what it needs to run as root on a small machine.
PEERS = {
    "MPICH": ("mpicc.mpich", ["mpiexec.mpich"]),
    "Open MPI": ("mpicc.openmpi", ["mpirun.openmpi", "--allow-run-as-root", "--oversubscribe"]),
}


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return done.returncode, sorted(done.stdout.splitlines()), done.stderr


def check(peer, mpirun, folder):
    """What is wrong with one library, as lines."""
    compiler, launcher = PEERS[peer]
    source, program = os.path.join(folder, "hello.c"), os.path.join(folder, "hello." + compiler)
    with open(source, "w", encoding="utf-8") as file:
        file.write(PROGRAM)
    subprocess.run([compiler, source, "-o", program], check=True)
    wrong = []
    without = run([mpirun, "--rank-names", "no", "-n", "2", program])
    if without[0] != 0 or len(without[1]) != 2:
        wrong.append(f"{peer}, without names: {without}")
    for names in ("all", "openmpi", "mpich"):
        found = run([mpirun, "--rank-names", names, "-n", "2", program])
        if found[:2] != without[:2]:
            wrong.append(f"{peer}, names of {names}: {found} instead of {without}")
        nested = run([mpirun, "--rank-names", names, "-n", "1", *launcher, "-n", "2", program])
        if nested[:2] != (0, ["rank 0 of 2", "rank 1 of 2"]):
            wrong.append(f"{peer}, its launcher in a rank with the names of {names}: {nested}")
    return wrong


def main(mpirun):
    installed = [name for name, (compiler, launcher) in PEERS.items() if shutil.which(compiler) and shutil.which(launcher[0])]
    if not installed:
        print("neither MPICH nor Open MPI is installed")
        return 77
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for peer in installed:
            wrong += check(peer, mpirun, folder)
    print("\n".join(wrong) or "looked at " + " and ".join(installed))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
