"""Strangers at every port of a running job: mpirun's, the agents', the ranks', and those of the PMIx servers.

  strangers.py MPIRUN RSH BUSY [PROVIDER...]      a colon stands for the semicolon in libfabric's names;
                                              "net,pmix": the ranks talk to the agent through PMIx

A job of ranks on several hosts (which are all this one) exchanges numbers and checks them. Meanwhile strangers connect to
every port that any of its processes listens at, and say garbage, the beginning of what is said there, what was heard
there, or nothing; many stay connected. Then the job connects those ranks that had not met, and must end as if nothing had
been. Also checked is who may listen at what: PMIx on loopback only.
"""
import os
import pathlib
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

wrong = []
LISTENING = "0A"
SILENT = 20  # connections that stay open at each port


def expect(name, good, shown=""):
    print(("good   " if good else "WRONG  ") + name)
    if not good:
        wrong.append(name)
        print(shown)


def family_of(root):
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                parents[int(entry)] = int(pathlib.Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                pass
    family, grown = {root}, True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        grown = bool(more)
        family |= more
    return family


def sockets_of(pid):
    out = set()
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
            if target.startswith("socket:["):
                out.add(target[8:-1])
    except OSError:
        pass
    return out


def address_of(text):
    """'0100007F:1F90' of /proc/net/tcp."""
    words, port = text.split(":")
    raw = b"".join(bytes.fromhex(words[i:i + 8])[::-1] for i in range(0, len(words), 8))
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw), int(port, 16)


def ports_of(family):
    """(kind, address, port, program) of all that this family listens at."""
    owner = {}
    for pid in family:
        try:
            name = pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
        except OSError:
            continue
        for inode in sockets_of(pid):
            owner.setdefault(inode, name)
    out = set()
    for kind in ("tcp", "tcp6", "udp", "udp6"):
        try:
            lines = pathlib.Path(f"/proc/net/{kind}").read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[9] not in owner or (kind.startswith("tcp") and fields[3] != LISTENING):
                continue
            address, port = address_of(fields[1])
            if port:
                out.add((kind[:3], address, port, owner[fields[9]]))
    return sorted(out)


def local_listeners_of(family):
    """Names in the abstract space of local sockets that this family listens at."""
    inodes = set().union(*(sockets_of(pid) for pid in family))
    out = []
    for line in pathlib.Path("/proc/net/unix").read_text().splitlines()[1:]:
        fields = line.split()
        accepts = int(fields[3], 16) & 0x10000
        if accepts and fields[6] in inodes and len(fields) > 7:
            out.append(fields[7].replace("@", "\0", 1))
    return out


def refused(name):
    """Whether somebody who is no process of the job is hung up on at once, whatever he says."""
    join = struct.pack("=IIQ", 1, 0, 1)
    for text in (join, b"", b"\xff" * 1000):
        stranger = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        stranger.settimeout(10)
        try:
            stranger.connect(name)
            if text:
                stranger.send(text)
            if stranger.recv(4096) != b"":
                return False
        except (BrokenPipeError, ConnectionResetError):
            pass
        except OSError:
            return False
        finally:
            stranger.close()
    return True


def where(address):
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)


def sayings(generator):
    """What strangers say: garbage of many sizes, other protocols, and beginnings of ours and of PMIx's."""
    for size in (1, 3, 4, 8, 27, 28, 32, 44, 100, 1000, 100_000):
        yield generator.randbytes(size)
        yield b"\0" * size
        yield b"\xff" * size
    yield b"GET / HTTP/1.0\r\n\r\n"
    yield b"COWLIFE\x01"
    yield b"COWLIFE\x01" + b"\0\0\0\0" + b"n" * 16
    yield b"COWLIFE\x01" + b"\0\0\0\0" + b"n" * 16 + b"s" * 16
    yield b"\x01COWAGT\n"
    # A header of PMIx with a length, a rank and a tag, then less than it promises; and a length beyond all reason.
    for length in (8, 1000, 2**31 - 1, 2**32 - 1):
        yield length.to_bytes(4, "big") + (1).to_bytes(4, "big") + b"\0" * 20
        yield (0).to_bytes(4, "little") * 3 + length.to_bytes(8, "little") + b"cow\0"


class Strangers:
    def __init__(self, ports):
        self.ports = ports
        self.generator = random.Random(4)
        self.held = []
        self.contacts = 0

    def connect(self, port):
        kind, address, number, _ = port
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        out = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
        out.settimeout(0.02)
        try:
            out.connect((where(address), number))
        except OSError:  # a queue that is full, too
            out.close()
            return None
        self.contacts += 1
        return out

    def say(self, port, text, hold=False):
        """What was heard."""
        stranger = self.connect(port)
        if not stranger:
            return b""
        heard = b""
        try:
            for begin in range(0, len(text), 1200 if port[0] == "udp" else len(text) or 1):
                stranger.send(text[begin:begin + 1200] if port[0] == "udp" else text)
            heard = stranger.recv(4096)
        except OSError:
            pass
        if hold:
            self.held.append(stranger)
        else:
            stranger.close()
        return heard

    def attack(self):
        heard = {}
        for port in self.ports:
            for text in sayings(self.generator):
                answer = self.say(port, text)
                if answer:
                    heard.setdefault(port, []).append((text, answer))
            for _, answer in heard.get(port, []):
                self.say(port, answer)  # what it says itself
            for text, _ in heard.get(port, []):
                self.say(port, text)    # and the same once more
                self.say(port, text, hold=True)
            for count in range(SILENT if port[0] == "tcp" else 0):
                self.say(port, b"" if count % 2 else b"\0\0", hold=True)
        return heard

    def leave(self):
        for stranger in self.held:
            stranger.close()


def besiege(mpirun, rsh, busy, provider, folder):
    hosts, ranks = "h1,h2,h3", 6
    end = folder / f"end.{provider}"
    provider, _, way = provider.partition(",")
    program = ["env", "-u", "COW_AGENT", busy] if way == "pmix" else [busy]
    environment = dict(os.environ, COW_PROVIDER=provider) if provider != "shared memory" else dict(os.environ)
    job = subprocess.Popen([mpirun, "--rsh-agent", rsh, "--tree-width", "1", "--host", hosts, "-n", str(ranks), *program, str(end)],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    first = job.stdout.readline()
    time.sleep(0.5)  # connections of the keepalive settle
    ports = ports_of(family_of(job.pid))
    strangers = Strangers(ports)
    heard = strangers.attack()
    local = local_listeners_of(family_of(job.pid))
    refusals = [refused(name) for name in local]
    late = ports_of(family_of(job.pid))  # what has been opened since
    end.touch()
    try:
        out, err = job.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        job.kill()
        out, err = job.communicate()
    strangers.leave()
    listeners = sorted({(program, kind) for kind, _, _, program in ports})
    name = f"{provider}{' through PMIx' if way else ''}: "
    expect(name + f"{len(ports)} ports of {', '.join(f'{p} ({k})' for p, k in listeners)}, {strangers.contacts} contacts",
           first == "busy\n" and job.returncode == 0 and err == "" and sorted(out.split()) ==
           sorted(" ".join(f"rank {rank} of {ranks}" for rank in range(ranks)).split()), (first, job.returncode, out, err))
    expect(name + "each of three agents listens for its ranks, and strangers are hung up on", refusals == [True] * 3, (local, refusals))
    met = {program for program, _ in listeners}
    expect(name + "the agents were met", "cow-agent" in met, ports)
    if "mpirun" not in met and not subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.strip():
        print("       " + name + "no keepalives, since this host has no address but loopback's")
        return
    # Each agent has the port in front of PMIx, on loopback; the two that have started others have a keepalive's.
    wide = [port for port in ports + late if port[3] == "cow-agent" and not port[1].startswith("127.")]
    expect(name + "agents listen wide at one port for each that started others", len(set(wide)) == 2, wide)
    wide = {port for port in ports + late if port[3] == "mpirun"}
    expect(name + "mpirun listens at one port", len(wide) == 1, wide)
    for port, answers in heard.items():
        for text, answer in answers:
            if port[3] == "mpirun" or port in wide:
                expect(name + "a keepalive answers to nothing but a whole greeting, with a nonce and a seal",
                       text.startswith(b"COWLIFE\x01") and len(answer) == 32, (port, text, answer))


def main():
    mpirun, rsh, busy, *providers = sys.argv[1:]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="strangers_test_"))
    try:
        for provider in providers:
            besiege(mpirun, rsh, busy, provider.replace(":", ";"), folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
