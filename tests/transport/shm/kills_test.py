"""Jobs whose processes are killed at random moments while all ranks exchange messages leave the machine as it was.

kills_test.py MPIRUN RUN_RANKS PROGRAM JOBS
"""
import importlib.machinery
import importlib.util
import os
import random
import signal
import subprocess
import sys
import time

MPIRUN, RUN_RANKS, PROGRAM, JOBS = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
END = 20  # seconds until mpirun must have ended on a crowded machine


def load(path):
    loader = importlib.machinery.SourceFileLoader("run_ranks", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("run_ranks", loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


run_ranks = load(RUN_RANKS)


def victims(rng):
    """Some ranks (one, or more, or all), or the agent, or mpirun."""
    living = run_ranks.descendants()
    ranks = [pid for pid, _, command in living if command.startswith(PROGRAM)]
    agents = [pid for pid, _, command in living if "cow-agent" in command.split(" ")[0]]
    mpiruns = [pid for pid, _, command in living if command.startswith(MPIRUN)]
    kind = rng.choice(("ranks", "ranks", "ranks", "agent", "mpirun"))
    if kind == "agent" and agents:
        return [rng.choice(agents)]
    if kind == "mpirun" and mpiruns:
        return mpiruns[:1]
    return rng.sample(ranks, rng.randint(1, len(ranks))) if ranks else []


def traces():
    """What a job could leave behind, beside processes."""
    with open("/proc/net/unix") as sockets:
        names = [line.split()[-1] for line in sockets if "@cow" in line.lower()]
    files = {f"/dev/shm/{name}" for name in run_ranks.files_in("/dev/shm")}
    files |= {f"/tmp/{name}" for name in run_ranks.files_in("/tmp") if run_ranks.TMP_NAMES.search(name)}
    with open("/proc/sysvipc/shm") as segments:
        files |= {f"System V segment {line.split()[1]}" for line in list(segments)[1:]}
    return files | set(names)


def kill_one(rng, number):
    """(how many processes were killed, the job's story when it did not end as it should, else None)."""
    count = rng.randint(2, 6)
    job = subprocess.Popen([MPIRUN, "-n", str(count), PROGRAM], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, start_new_session=True)
    if rng.random() < 0.8:  # else while it starts
        job.stdout.readline()
    time.sleep(rng.random() * 0.15)
    chosen = victims(rng)
    for pid in chosen:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    if not chosen:  # nothing was there yet
        job.kill()
    try:
        _, err = job.communicate(timeout=END)
    except subprocess.TimeoutExpired:
        return len(chosen), f"job {number} of {count} ranks: mpirun still there {END} s after {chosen} were killed: {run_ranks.descendants()}"
    if job.returncode == 0:
        return len(chosen), f"job {number}: status 0 though {chosen} were killed; {err}"
    left = run_ranks.wait_until_gone(5)
    return len(chosen), f"job {number}: left after {chosen} were killed: {left}" if left else None


def main():
    rng = random.Random(int(os.environ.get("TESTS_SEED", os.getpid())))
    run_ranks.adopt_orphans()
    run_ranks.private_shared_memory(None)
    for name in [name for name in os.environ if name.startswith("COW_")]:
        del os.environ[name]
    before = traces()
    killed = 0
    for number in range(JOBS):
        some, story = kill_one(rng, number)
        killed += some
        if story:
            run_ranks.kill_descendants()
            sys.exit(story)
    end = time.monotonic() + 5
    while traces() - before and time.monotonic() < end:
        time.sleep(0.2)
    left = traces() - before
    if left:
        sys.exit(f"left behind by {JOBS} jobs: {sorted(left)}")
    if killed < JOBS:
        sys.exit(f"only {killed} processes were killed in {JOBS} jobs: the test tests nothing")


if __name__ == "__main__":
    main()
