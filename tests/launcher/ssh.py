"""mpirun over a real ssh: an sshd of this test's own, on a loopback port, with keys that it makes.

  ssh.py MPIRUN CLIENT      the last line says how it went; status 77: no sshd here
"""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
wrong = []


def expect(name, good, shown):
    print(("good   " if good else "WRONG  ") + name)
    if not good:
        wrong.append(name)
        print(shown)


def make_key(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)


class Sshd:
    """Listens on all of 127/8, so that several addresses are several hosts to mpirun."""

    def __init__(self, folder):
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        for name in ("host_key", "other_host_key", "user_key", "other_user_key"):
            make_key(folder / name)
        shutil.copy(folder / "user_key.pub", folder / "authorized")
        (folder / "authorized").chmod(0o600)
        (folder / "sshd_config").write_text(f"""
Port {self.port}
ListenAddress 0.0.0.0
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized
PidFile {folder}/sshd.pid
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
MaxStartups 100
""")
        os.makedirs("/run/sshd", exist_ok=True)
        self.log = open(folder / "sshd.log", "w")
        self.process = subprocess.Popen([shutil.which("sshd"), "-D", "-e", "-f", folder / "sshd_config"],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("sshd does not listen: " + (folder / "sshd.log").read_text())

    def client(self, key="user_key", host_key="host_key", port=None):
        """The remote shell of a user who has this key and knows that key of the hosts."""
        name = f"{key}.{host_key}.{port}"
        known = "[127.0.0.*]:* " + (self.folder / f"{host_key}.pub").read_text()
        (self.folder / f"known.{name}").write_text(known)
        (self.folder / f"config.{name}").write_text(f"""
Host *
  Port {port or self.port}
  IdentityFile {self.folder}/{key}
  IdentitiesOnly yes
  UserKnownHostsFile {self.folder}/known.{name}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  BatchMode yes
""")
        return f"ssh -x -F {self.folder}/config.{name}"

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()


def left(client):
    listed = subprocess.run(["ps", "-e", "-o", "args"], capture_output=True, text=True).stdout
    return [line for line in listed.split("\n") if line.startswith(client + " ")]


def check(sshd, mpirun, client):
    hosts = "127.0.0.2:2,127.0.0.3:2"

    def run(shell, *words, where=hosts, **options):
        done = subprocess.run([mpirun, "--rsh-agent", shell, "--host", where, *words], capture_output=True, timeout=120,
                              stdin=options.pop("stdin", subprocess.DEVNULL), **options)
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")

    shell = sshd.client()
    status, out, err = run(shell, client, "exchange")
    expect("ranks over ssh", status == 0 and err == "" and len(out.splitlines()) == 4, (status, out, err))
    status, out, err = run(shell, "--tree-width", "1", client, "exchange", where="127.0.0.2,127.0.0.3:2,127.0.0.4")
    expect("agents that start agents over ssh", status == 0 and err == "" and len(out.splitlines()) == 4, (status, out, err))
    status, out, err = run(shell, "--tree-width", "1", "sh", "-c", "test $PMIX_RANK = 3 && kill -9 $$; sleep 100",
                           where="127.0.0.2,127.0.0.3:2,127.0.0.4")
    expect("a killed rank below two others", status == 137 and "on host 127.0.0.4" in err and len(err.splitlines()) == 1,
           (status, out, err))
    status, out, err = run(shell, "sh", "-c", "echo $PATH=$ODD", env=dict(os.environ, ODD="a 'b\" $c"))
    expect("the environment is the caller's", out == 4 * (os.environ["PATH"] + "=a 'b\" $c\n"), (status, out, err))
    data = os.urandom(3_000_000)
    (sshd.folder / "data").write_bytes(data)
    with open(sshd.folder / "data", "rb") as source:
        done = subprocess.run([mpirun, "--rsh-agent", shell, "--host", hosts, "cat"], stdin=source, capture_output=True, timeout=120)
    expect("bytes pass unchanged", done.stdout == data, (done.returncode, len(done.stdout), done.stderr))
    status, out, err = run(shell, "sh", "-c", "test $PMIX_RANK = 3 && kill -9 $$; sleep 100")
    expect("a killed rank", status == 137 and "on host 127.0.0.3" in err, (status, out, err))
    status, out, err = run(sshd.client(key="other_user_key"), "true")
    expect("a key that is not accepted", status == 125 and "on host 127.0.0." in err and "Permission denied" in err, (status, err))
    status, out, err = run(sshd.client(host_key="other_host_key"), "true")
    expect("a host that is another", status == 125 and "Host key verification failed" in err, (status, err))
    status, out, err = run(sshd.client(port=1), "true")
    expect("a host where nobody listens", status == 125 and "Connection refused" in err, (status, err))
    status, out, err = run(shell, "--prefix", "/no/such", "true")
    expect("no installation there", status == 125 and "/no/such/libexec" in err, (status, err))
    with subprocess.Popen([mpirun, "--rsh-agent", shell, "--host", hosts, client, "wait"], stdout=subprocess.PIPE) as job:
        for _ in range(4):
            job.stdout.readline()
        expect("four ranks wait", len(left(client)) == 4, left(client))
        job.kill()
        for _ in range(100):
            if not left(client):
                break
            time.sleep(0.1)
    expect("a killed mpirun leaves nothing", left(client) == [], left(client))


def main():
    os.environ["PATH"] += ":/usr/sbin"
    if not shutil.which("sshd") or not shutil.which("ssh") or os.geteuid() != 0:
        print("sshd is not here, or may not be started")
        return SKIPPED
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ssh_test_"))
    sshd = None
    try:
        sshd = Sshd(folder)
        check(sshd, sys.argv[1], sys.argv[2])
    finally:
        if sshd:
            sshd.stop()
            if wrong:
                print((folder / "sshd.log").read_text()[-3000:])
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
