"""A Debian without anything: made once by debootstrap in a cache folder, and lent to a test as it was each time.

A test calls prepare() first, which needs root and says why the test is skipped where something is missing. What is mounted
after it is seen by the test and its children alone, and is gone with them. Then lend() gives a Root whose changes go to a folder that is thrown away. Set COW_ROOTS for another cache
folder than ~/.cache/cowmpi-roots; packages that roots install are kept there too.
"""
import ctypes
import fcntl
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77  # SKIP_RETURN_CODE of these tests
CACHE = pathlib.Path(os.environ.get("COW_ROOTS") or pathlib.Path.home() / ".cache" / "cowmpi-roots")
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
# What a root's commands get: nothing of the caller's but the way to the network.
PLAIN = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8",
         "DEBIAN_FRONTEND": "noninteractive",
         **{name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}}
in_use = []  # locks, until the process ends: apt does not wait for another that works on the kept packages


def skip(why):
    """Ends the test as skipped; as failed where nobody would see that it was."""
    print(f"skipped: {why}")
    sys.exit(1 if os.environ.get("CI") == "true" else SKIPPED)


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout[-6000:]}")
    return done.stdout


def base(suite):
    """The folder of a bare root, made where it is missing."""
    CACHE.mkdir(parents=True, exist_ok=True)
    folder = CACHE / suite
    with open(CACHE / f"{suite}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder
        if not shutil.which("debootstrap"):
            skip("debootstrap is not installed")
        unfinished = CACHE / f"{suite}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        done = subprocess.run(["debootstrap", "--variant=minbase", suite, unfinished], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            skip(f"debootstrap found no {suite}: {done.stdout[-300:]}{done.stderr[-300:]}")
        unfinished.rename(folder)
    return folder


def prepare(*tools, suite="bookworm"):
    """Puts this process into a mount namespace of its own, and sees that there are tools, a root and lists of packages."""
    for tool in tools:
        if not shutil.which(tool):
            skip(f"{tool} is not installed")
    if os.geteuid() != 0:
        skip("bare roots need root")
    if ctypes.CDLL(None, use_errno=True).unshare(0x20000) != 0:  # CLONE_NEWNS
        skip("this machine lets nobody mount")
    run("mount", "--make-rprivate", "/")
    base(suite)
    in_use.append(open(CACHE / f"{suite}.in_use", "w", encoding="utf-8"))
    fcntl.flock(in_use[-1], fcntl.LOCK_EX)
    root, work = lend(suite)
    try:
        root.run("apt-get update")
    except AssertionError as failure:
        skip(f"no registry of packages: {str(failure)[-300:]}")
    finally:
        give_back(root, work)


class Root:
    """A bare root to spoil, and a way to run commands in it."""

    def __init__(self, suite, work):
        self.folder = work / "root"
        for name in ("root", "changes", "overlay"):
            (work / name).mkdir(parents=True)
        run("mount", "-t", "overlay", "overlay", "-o",
            f"lowerdir={base(suite)},upperdir={work}/changes,workdir={work}/overlay", self.folder)
        run("mount", "-t", "proc", "proc", self.folder / "proc")
        run("mount", "-t", "tmpfs", "-o", "mode=755", "dev", self.folder / "dev")
        for name in DEVICES:
            (self.folder / "dev" / name).touch()
            run("mount", "--bind", f"/dev/{name}", self.folder / "dev" / name)
        for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
            (self.folder / "dev" / name).symlink_to(target)
        (self.folder / "dev" / "shm").mkdir()
        run("mount", "-t", "tmpfs", "-o", "mode=1777", "shm", self.folder / "dev" / "shm")
        self.share(CACHE / f"{suite}.packages", "var/cache/apt/archives")
        self.share(CACHE / f"{suite}.lists", "var/lib/apt/lists")
        for name in ("resolv.conf", "hosts"):
            shutil.copy(f"/etc/{name}", self.folder / "etc" / name)
        # Packages are not to start services; apt keeps what it fetched; and it fetches as root, since the kept ones are root's.
        policy = self.folder / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
        policy.chmod(0o755)
        (self.folder / "etc/apt/apt.conf.d/90tests").write_text(
            'Binary::apt-get::APT::Keep-Downloaded-Packages "true";\nAPT::Keep-Downloaded-Packages "true";\n'
            'APT::Sandbox::User "root";\nAPT::Install-Recommends "false";\n', encoding="utf-8")

    def share(self, outside, inside):
        """Shows a folder of this machine in the root."""
        outside.mkdir(parents=True, exist_ok=True)
        (self.folder / inside).mkdir(parents=True, exist_ok=True)
        run("mount", "--bind", outside, self.folder / inside)

    def run(self, script, user=None, env=None):
        """Runs a shell script in it and returns what it printed, as root or as a user, in that one's home."""
        words = ["/bin/sh", "-ec", script]
        if user:
            words = ["runuser", "-u", user, "--", "/bin/sh", "-ec", f"HOME=/home/{user}; export HOME; cd\n{script}"]
        return run("chroot", self.folder, *words, env={**PLAIN, **(env or {})})

    def listing(self, leave_out=()):
        """Every path with what a link points at, for a comparison."""
        found = set()
        for path, folders, names in os.walk(self.folder):
            inside = os.path.relpath(path, self.folder)
            folders[:] = [name for name in folders if os.path.normpath(f"{inside}/{name}") not in leave_out]
            for name in folders + names:
                whole = os.path.join(path, name)
                target = f" -> {os.readlink(whole)}" if os.path.islink(whole) else ""
                found.add(os.path.normpath(f"{inside}/{name}") + target)
        return found


def lend(suite="bookworm"):
    """A root of a suite, and the folder to throw away when the test is over."""
    work = pathlib.Path(tempfile.mkdtemp(prefix="bare_root_", dir=CACHE))
    return Root(suite, work), work


def give_back(root, work):
    run("umount", "--recursive", root.folder)
    shutil.rmtree(work)
