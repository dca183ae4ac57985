"""What the Python tests share: where things are, and running commands."""
import os
import pathlib
import subprocess

SOURCE = pathlib.Path(os.environ["COW_SOURCE"])
BUILD = pathlib.Path(os.environ["COW_BUILD"])
LIBRARY = os.environ["COW_LIBRARY"]
C_COMPILER = os.environ["COW_C_COMPILER"]
CXX_COMPILER = os.environ["COW_CXX_COMPILER"]


def run(*command, **options):
    """Runs a command and returns what it printed; a failure shows what it said."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout
