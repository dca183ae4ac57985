"""Ranks below programs that close the descriptors they inherit, and strangers who would like to have those.

  wrappers.py MPIRUN HELLO CLIENT
"""
import os
import shutil
import socket
import struct
import subprocess
import sys

wrong = []
PYTHON = [sys.executable, "-c"]
SUBPROCESS = [*PYTHON, "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)"]
# As Java's ProcessBuilder does in its child: all above 2 are closed, then the program is run.
CLOSER = [*PYTHON, "import os, sys; os.closerange(3, 65536); os.execvp(sys.argv[1], sys.argv[1:])"]
# Other files get the numbers of what was closed, and look like a key.
USURPER = [*PYTHON, """
import fcntl, os, sys
os.closerange(3, 65536)
for number in (os.environ["COW_KEY_FD"], os.environ["COW_SHM_FD"]):
    other = os.memfd_create("other", os.MFD_ALLOW_SEALING)
    os.write(other, b"k" * 32)
    fcntl.fcntl(other, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
    os.dup2(other, int(number), inheritable=True)
os.execvp(sys.argv[1], sys.argv[1:])
"""]
HEADER = struct.Struct("=IIQ")
JOIN, ASK_KEY, ASK_MEMORY, PROTOCOL = 1, 3, 10, 3


def expect(name, good, shown=""):
    print(("good   " if good else "WRONG  ") + name)
    if not good:
        wrong.append(name)
        print(shown)


def run(*words):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def expect_job(name, ranks, words, mpirun):
    status, out, err = run(*mpirun, "-n", str(ranks), *words)
    expect(name, status == 0 and err == "" and
           sorted(out.split("\n"))[1:] == sorted(f"rank {rank} of {ranks}" for rank in range(ranks)), (status, out, err))


def expect_error(name, words, *said):
    status, out, err = run(*words)
    expect(name, status != 0 and all(text in err for text in said), (status, out, err))


def intrude(address):
    """What a process of this user hears that is none of the job: nothing, and no descriptor."""
    stranger = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    stranger.settimeout(10)
    try:
        stranger.connect("\0" + address.split(":")[0])
        for kind in (JOIN, ASK_KEY, ASK_MEMORY):
            stranger.send(HEADER.pack(kind, 0, PROTOCOL))
        heard, descriptors, _, _ = socket.recv_fds(stranger, 4096, 4)
        return f"{heard!r} {descriptors}" if heard or descriptors else ""
    except (BrokenPipeError, ConnectionResetError):
        return ""
    finally:
        stranger.close()


def main():
    mpirun, hello, client = sys.argv[1:]
    base = [mpirun]
    expect_job("below Python's subprocess", 3, [*SUBPROCESS, hello], base)
    expect_job("alone on its node", 1, [*SUBPROCESS, hello], base)
    expect_job("below something that closes all above 2", 3, [*CLOSER, hello], base)
    expect_job("where other files have the numbers", 2, [*USURPER, hello], base)
    expect_job("below a chain of shells", 2, [*SUBPROCESS, "sh", "-c", f"sh -c '{hello}; exit $?'; exit $?"], base)
    expect_job("below setsid", 2, [*SUBPROCESS, "setsid", hello], base)
    expect_job("below what has ended by now", 2, [*SUBPROCESS, "setsid", "-f", hello], base)
    expect_job("some ranks have lost them, others not", 4,
               ["sh", "-c", f'[ "$PMIX_RANK" = 2 ] && exec "$@"; exec {hello}', "sh", *SUBPROCESS, hello], base)
    expect_job("without shared memory", 2, ["-x", "COW_SHM=no", *SUBPROCESS, hello], base)
    hosts = [mpirun, "--rsh-agent", sys.argv[0].replace("launcher/wrappers.py", "hosts/local"), "--tree-width", "1",
             "--host", "h1,h2"]
    expect_job("on two nodes, one agent below the other", 4, [*SUBPROCESS, hello], hosts)
    # A rank's place is taken once.
    for name, words in (("closing nothing", []), ("closing", SUBPROCESS)):
        twice = " ".join(f"'{word}'" for word in [*words, hello])
        expect_error(f"two programs one after the other below a shell, {name}",
                     [mpirun, "-n", "2", "sh", "-c", f"{twice} && {twice}"],
                     "two programs cannot be the same rank, one after the other")
    lost = ("a program between mpirun and this one closed the descriptors", "COW_KEY_FD=100, COW_SHM_FD=101", "started by ")
    expect_error("without the agent's address, the error names the cause",
                 [mpirun, "-n", "2", *SUBPROCESS, "env", "-u", "COW_AGENT", hello], *lost)
    if os.geteuid() == 0 and shutil.which("setpriv"):
        expect_error("as another user, the error names the cause",
                     [mpirun, "-n", "2", *SUBPROCESS, "setpriv", "--reuid", "65534", hello], *lost)
    job = subprocess.Popen([mpirun, "-n", "2", "sh", "-c", f'echo "$COW_AGENT"; exec {client} wait'],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    heard = intrude(job.stdout.readline().strip())
    expect("a process that is none of the job gets nothing", heard == "" and job.poll() is None, heard)
    job.terminate()
    job.communicate()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
