#!/usr/bin/env python3
"""What Clang's tools say of the source.

tidy ROOT BUILD [FOLDER…]  .clang-tidy's checks over all compiled sources, or those of some folders
format ROOT                every .cpp and .hpp is as clang-format with .clang-format writes it

Without the tool, of the version that the code is kept to, the test is skipped. Where CI=true tidy fails then: it is a long
test, before which all that these need is installed.
"""
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

VERSION = 19
SKIPPED = 77
FOLDERS = ["src", "pt2pt", "coll", "launcher", "tools", "perf", "tests"]


def commands_for_clang(root, build, folders):
    """One command for each source: without the compiler's launcher, precompiled headers, and warnings that are GCC's."""
    found = {}
    with open(os.path.join(build, "compile_commands.json")) as commands:
        for entry in json.load(commands):
            path = os.path.relpath(entry["file"], root)
            if not path.endswith(".cpp") or not path.startswith(tuple(folder + "/" for folder in folders)):
                continue
            words = shlex.split(entry["command"])
            while not os.path.basename(words[0]).endswith(("++", "++-12", "g++", "c++")):
                words.pop(0)
            kept, rest = [words[0]], iter(words[1:])
            for word in rest:
                if word == "-include":
                    next(rest)
                elif not word.startswith("-W"):
                    kept.append(word)
            found.setdefault(entry["file"], {"file": entry["file"], "directory": entry["directory"], "arguments": kept})
    return list(found.values())


def all_of(tool, arguments, paths, at_once=1):
    """What the tool says of the paths, where it is not content."""
    def some(first):
        done = subprocess.run([tool, *arguments, *paths[first:first + at_once]], text=True, capture_output=True)
        if done.returncode == 0:
            return None
        return done.stdout + "".join(line + "\n" for line in done.stderr.splitlines() if "error:" in line)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [said for said in pool.map(some, range(0, len(paths), at_once)) if said]


def tidy(tool, root, build, folders):
    with tempfile.TemporaryDirectory() as folder:
        commands = commands_for_clang(root, build, folders)
        with open(os.path.join(folder, "compile_commands.json"), "w") as file:
            json.dump(commands, file)
        print(f"{len(commands)} sources")
        config = os.path.join(root, ".clang-tidy")
        arguments = ["--quiet", "-p", folder, f"--config-file={config}"]
        return all_of(tool, arguments, [command["file"] for command in commands])


def check_format(tool, root):
    paths = [os.path.join(path, name) for folder in FOLDERS for path, _, names in os.walk(os.path.join(root, folder))
             for name in sorted(names) if name.endswith((".cpp", ".hpp"))]
    print(f"{len(paths)} files")
    first_places = {}  # of each file: it says enough
    for said in all_of(tool, ["--dry-run", "--Werror"], paths, at_once=30):
        for line in said.splitlines():
            first_places.setdefault(line.partition(":")[0], line)
    return list(first_places.values())


def main():
    what, root = sys.argv[1], os.path.abspath(sys.argv[2])
    name = f"clang-{what}-{VERSION}"
    tool = shutil.which(name)
    if not tool:
        print(f"{name} is not installed")
        return 1 if what == "tidy" and os.environ.get("CI") == "true" else SKIPPED
    wrong = tidy(tool, root, os.path.abspath(sys.argv[3]), sys.argv[4:] or FOLDERS) if what == "tidy" else check_format(tool, root)
    for said in wrong:
        print(said)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
