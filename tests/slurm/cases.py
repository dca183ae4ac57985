"""What must be so when other launchers start our programs, or mpirun runs inside their allocations.

  cases.py mpich RING               under Debian's mpiexec.mpich
  cases.py slurm RING MPIRUN        inside a Slurm (tests/slurm/slurm run -- …)
"""
import pathlib
import shutil
import subprocess
import sys
import time

SKIPPED = 77
wrong = []


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def wait_for(what, limit=30):
    end = time.monotonic() + limit
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def ring(size):
    return sorted(f"rank {rank} of {size}" for rank in range(size))


def expect(name, good, shown):
    print(("good   " if good else "WRONG  ") + name)
    if not good:
        wrong.append(name)
        print(shown)


def expect_ring(name, size, *words):
    status, out, err = run(*words)
    expect(name, status == 0 and sorted(out.split("\n"))[1:] == ring(size) and err == "", (status, out, err))


def mpich(program):
    if not shutil.which("mpiexec.mpich"):
        print("mpiexec.mpich is not here")
        return SKIPPED
    for size in (1, 2, 3, 8):
        expect_ring(f"PMI-1, {size} ranks", size, "mpiexec.mpich", "-n", str(size), program)
    status, out, err = run("mpiexec.mpich", "-n", "3", program, "abort", "7")
    expect("an abort ends the job with its code", status == 7, (status, out, err))
    # What a launcher of several ranks leaves when nobody answers at its descriptor.
    status, out, err = run("env", "PMI_FD=77", "PMI_RANK=0", "PMI_SIZE=2", program)
    expect("a launcher that does not answer is an error", status != 0 and "PMI_SIZE=2" in err and "PMI_FD=77" in err and out == "", (status, out, err))
    status, out, err = run("env", "SLURM_STEP_NUM_TASKS=4", program)
    expect("a step of several ranks without a server is an error", status != 0 and "SLURM_STEP_NUM_TASKS=4" in err,
           (status, out, err))
    expect_ring("in a script of sbatch a program alone is one rank", 1, "env", "SLURM_NTASKS=4", program)


def slurm(program, mpirun):
    inside = ("salloc", "-Q", "-N", "2", "-n", "4")
    expect_ring("mpirun takes hosts and slots", 4, *inside, mpirun, program)
    expect_ring("an agent starts another with srun", 4, *inside, mpirun, "--tree-width", "1", program)
    status, out, err = run(*inside, mpirun, "--display", "map", "-n", "3", "true")
    expect("ranks fill the nodes", out == "n1: ranks 0-1 (true)\nn2: rank 2 (true)\n", (status, out, err))
    status, out, err = run(*inside, mpirun, "-n", "5", program)
    expect("more ranks than the allocation has are refused", status == 125 and "the Slurm allocation gives 4 slots" in err,
           (status, out, err))
    status, out, err = run(*inside, mpirun, "sh", "-c", "test $PMIX_RANK = 3 && exit 7; sleep 100")
    expect("the first failure's status", status == 7 and "rank 3" in err and "on host n2" in err, (status, out, err))
    status, out, err = run(*inside, "sh", "-c", f"head -c 3000000 /dev/urandom >$0; {mpirun} cat <$0 | cmp - $0; rm $0",
                           f"/tmp/slurm_test_input.{id(out)}")
    expect("input and output are binary", status == 0 and out == "", (status, out[:100], err))
    # Slurm itself forgets a signal now and then, that comes when it has just started the steps; so it is sent again.
    status, out, err = run(*inside, "sh", "-c",
                           f"{mpirun} {program} wait >$0 & while [ $(grep -c waiting $0) != 4 ]; do sleep 0.1; done; "
                           "while kill -0 $! 2>/dev/null; do scancel -s USR1 $SLURM_JOB_ID; sleep 3; done; cat $0; rm $0", f"/tmp/slurm_test_output.{id(out)}")
    expect("a warning of Slurm reaches the ranks", out.count("rank ") == 4, (status, out, err))
    # In a script, mpirun's own node is one of the job's. There is a step on each: srun's for the other agent, and an ear.
    output = f"/tmp/slurm_test_output.{id(out)}"
    status, job, err = run("sbatch", "--parsable", "-N", "2", "-n", "4", "-o", output, "--wrap", f"{mpirun} {program} wait")
    job = job.strip()
    seen = lambda word, count: wait_for(lambda: pathlib.Path(output).exists() and pathlib.Path(output).read_text().count(word) == count)
    good = seen("waiting", 4) and wait_for(lambda: len(run("squeue", "-h", "-s", "-j", job)[1].splitlines()) >= 3)
    before = run("squeue", "-h", "-s", "-j", job)[1]
    arrived = False
    for _ in range(10):
        run("scancel", "-s", "USR1", job)
        arrived = arrived or wait_for(lambda: "rank " in pathlib.Path(output).read_text(), 3)
        if arrived:
            break
    good = good and seen("rank ", 4) and wait_for(lambda: run("squeue", "-h", "-j", job)[1] == "")
    out = pathlib.Path(output).read_text()
    expect("a warning of Slurm reaches the ranks of mpirun's own node, each once",
           good and sorted(out.split("\n")) == sorted(["", *["waiting"] * 4, *ring(4)]), (before, out, err))
    pathlib.Path(output).unlink(missing_ok=True)
    for kind in ("pmix", "pmi2"):
        for size in (1, 2, 4):
            expect_ring(f"srun --mpi={kind}, {size} ranks", size, "srun", "-Q", "--overcommit", f"--mpi={kind}", "-n",
                        str(size), program)
    # Slurm's own PMIx plugin cannot serve two nodes that are one machine: its folders have the same names.
    expect_ring("srun --mpi=pmi2, two nodes", 4, "srun", "-Q", "--overcommit", "--mpi=pmi2", "-N2", "-n", "4", program)
    status, out, err = run("srun", "-Q", "--overcommit", "--mpi=none", "-n", "2", program)
    expect("srun without a server is an error that says what to type", status != 0 and "srun --mpi=pmix" in err and out == "",
           (status, out, err))


def main():
    what = {"mpich": mpich, "slurm": slurm}[sys.argv[1]]
    return what(*sys.argv[2:]) or (1 if wrong else 0)


if __name__ == "__main__":
    sys.exit(main())
