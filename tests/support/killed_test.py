"""run_ranks is killed, as ctest does after a time: nothing of its job stays, with the job here or in network namespaces.

  killed_test.py RUN_RANKS MPIRUN HARNESS
"""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

PATIENCE = 20  # seconds; the machine may be busy


def processes_with(mark):
    """Those whose environment holds the mark."""
    found = {}
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and mark in pathlib.Path(f"/proc/{entry}/environ").read_bytes():
                found[int(entry)] = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            pass
    found.pop(os.getpid(), None)
    return found


def wait_for(what):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.05)
    return False


def check(run_ranks, mpirun, folder, options):
    mark = f"TEST_MARK=killed_{os.getpid()}_{len(options)}"
    name, value = mark.split("=")
    script = subprocess.Popen([run_ranks, "--mpirun", mpirun, "--ranks", "2", *options, "--", "sleep", "1000"],
                              env=dict(os.environ, TMPDIR=folder, **{name: value}), stdout=subprocess.DEVNULL)
    mark = mark.encode()
    sleepers = lambda: [line for line in processes_with(mark).values() if line.startswith("sleep")]
    started = wait_for(lambda: len(sleepers()) == 2 or script.poll() is not None) and script.poll() is None
    script.send_signal(signal.SIGKILL)
    script.wait()
    gone = wait_for(lambda: not processes_with(mark))
    left = processes_with(mark)
    for pid in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    print(f"{'good ' if started and gone else 'WRONG'} {options or 'here'}{'' if started else ': it did not start'}", *left.values(), sep="\n  ")
    return started and gone


def main():
    run_ranks, mpirun, harness = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        good = check(run_ranks, mpirun, folder, [])
        if os.geteuid() == 0:
            good = check(run_ranks, mpirun, folder, ["--hosts", "2", "--harness", harness]) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
