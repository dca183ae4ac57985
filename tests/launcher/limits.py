"""Jobs at low limits of open descriptors (ulimit -n).

  limits.py MPIRUN HELLO RANKS SOFT [PMIX_RANKS]

RANKS ranks, where mpirun is started at a soft limit of SOFT; and PMIX_RANKS that ask the agent through PMIx, which comes when
the agent has opened what it needs, and waits for its own listener with select().

mpirun and the agents take what the hard limit allows; the ranks have the user's. Where the hard limit is too low, that is said
before anything starts, in one line with the numbers.
"""
import re
import resource
import subprocess
import sys

SKIPPED = 77
wrong = []


def expect(name, good, shown=""):
    print(("good   " if good else "WRONG  ") + name)
    if not good:
        wrong.append(name)
        print(shown)


def run(soft, hard, *words):
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, preexec_fn=limit, timeout=200)
    return done.returncode, done.stdout, done.stderr


def main():
    mpirun, hello = sys.argv[1:3]
    ranks, soft, through_pmix = [int(word) for word in [*sys.argv[3:], "0"][:3]]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4 * ranks + 200:
        print(f"the hard limit of this process is {hard}")
        return SKIPPED
    for count, way in ((ranks, []), (through_pmix, ["env", "-u", "COW_AGENT"])):
        if count == 0:
            continue
        status, out, err = run(soft, hard, mpirun, "-n", str(count), *way, hello)
        expect(f"{count} ranks at a soft limit of {soft}", status == 0 and err == "" and sorted(out.split("\n"))[1:] ==
               sorted(f"rank {rank} of {count}" for rank in range(count)), (status, out[:1000], err))
    status, out, err = run(soft, hard, mpirun, "-n", "2", "sh", "-c", "ulimit -Sn; ulimit -Hn")
    unlimited = "unlimited" if hard == resource.RLIM_INFINITY else str(hard)
    expect("the ranks have the user's limits", status == 0 and sorted(out.split()) == sorted([str(soft), unlimited] * 2),
           (status, out, err))
    status, out, err = run(soft, soft, mpirun, "-n", str(ranks), hello)
    line = rf"mpirun: host \S+: the agent needs \d+ descriptors for {ranks} ranks, but may have no more than {soft} open .*ulimit -Hn.*\n"
    expect("where the hard limit is as low, one line says so", status == 125 and out == "" and re.fullmatch(line, err),
           (status, out, err))
    status, out, err = run(soft, soft, mpirun, "--output-filename", "/nonexistent/out", "-n", str(ranks), hello)
    line = rf"mpirun: mpirun needs \d+ descriptors for 1 agent that it starts and {2 * ranks} files .* than {soft} open .*\n"
    expect("so it is with mpirun's own files", status == 125 and out == "" and re.fullmatch(line, err), (status, out, err))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
