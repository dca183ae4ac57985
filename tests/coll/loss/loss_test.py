"""A rank is killed while others wait for it on the memory of the node.

loss_test.py MPIRUN PROGRAM
"""
import os
import re
import subprocess
import sys

MPIRUN, PROGRAM = sys.argv[1:]
LONG = 60  # seconds, on a crowded machine


def run(ranks, how, collective, *options):
    job = subprocess.run([MPIRUN, *options, "-n", str(ranks), PROGRAM, how, collective], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=LONG,
                         env={**os.environ, "COW_COLL_MEMORY": "always", "COW_COLL": "barrier=hierarchical,allreduce=hierarchical" if options else ""})
    if job.returncode != 137 or "rank 1" not in job.stderr:
        sys.exit(f"{how} {collective}, {ranks} ranks: status {job.returncode}\n{job.stdout}{job.stderr}")
    return job.stdout


run(3, "job", "barrier")
two_nodes = ["--rsh-agent", os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../hosts/local"),
             "--host", "one:3,two:1"]
for collective, options in (("short", []), ("long", []), ("nonblocking", []), ("short", two_nodes), ("long", two_nodes), ("barrier", two_nodes)):
    told = run(3 + (len(options) > 0), "alone", collective, *options)
    for rank in (0, 2):
        words = re.findall(rf"^rank {rank}: aborted .*rank 1 of the communicator has died", told, re.MULTILINE)
        if len(words) != 2:
            sys.exit(f"{collective}: rank {rank} was not told twice that rank 1 has died:\n{told}")
