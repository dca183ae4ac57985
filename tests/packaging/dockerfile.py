"""Runs the steps of a Dockerfile in bare roots of Debian: FROM, COPY, RUN, USER and WORKDIR, which is what ours has."""
import glob
import os
import pathlib
import re
import shutil

import bare_root

SUITES = {"debian:12": "bookworm", "debian:13": "trixie"}


def instructions(text):
    """Pairs of a word and what follows it, comments gone and continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.M)
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if line.strip():
            word, rest = line.strip().split(None, 1)
            yield word, rest


class Stage:
    def __init__(self, image, prepare):
        self.root, self.work = bare_root.lend(SUITES[image])
        self.user, self.folder, self.env = None, "/", prepare(self.root)

    def run(self, command):
        return self.root.run(f"cd {self.folder}\n{command}", user=self.user, env=self.env)

    def place(self, path):
        return self.root.folder / path.lstrip("/")


def copy(sources, target, stage):
    """COPY: the content of a folder, or files into a folder."""
    into = stage.place(target)
    for source in sources:
        if os.path.isdir(source):
            shutil.copytree(source, into, symlinks=True, dirs_exist_ok=True)
        else:
            into.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, into)


def build(file, context, prepare=lambda root: {}):
    """All stages in their order; the last one is the image. prepare gives each stage variables that RUN has more.
    The caller gives all of them back."""
    stages, named = [], {}
    for word, rest in instructions(pathlib.Path(file).read_text(encoding="utf-8")):
        if word == "FROM":
            image, *name = rest.split()
            stages.append(Stage(image, prepare))
            if name:
                named[name[1]] = stages[-1]
        elif word == "RUN":
            stages[-1].run(rest)
        elif word == "USER":
            stages[-1].user = rest
        elif word == "WORKDIR":
            stages[-1].folder = rest
        elif word == "COPY":
            *sources, target = rest.split()
            origin = named[sources.pop(0).removeprefix("--from=")].root.folder if "--from=" in rest else context
            found = [name for source in sources for name in glob.glob(f"{origin}/{source.lstrip('/')}")]
            if not found:
                raise AssertionError(f"COPY {rest}: there is no such file")
            copy(found, target, stages[-1])
        else:
            raise AssertionError(f"{word} is not understood")
    return stages
