"""Reads generated values as programs read settings, and says which reader sees another value.

Standard input is JSON: {name: value}. Each value goes, without quotes, into a dotenv file, an ini
file, a YAML file, and a shell script; and into the environment, as `vault exec` gives it.
"""

import configparser
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import decouple
import dotenv
import environ
from ruamel.yaml import YAML


class FileEnv(environ.Env):
    ENVIRON = {}


def main():
    values = json.load(sys.stdin)
    folder = Path(tempfile.mkdtemp(dir=sys.argv[1]))
    lines = "".join(f"{name}={value}\n" for name, value in values.items())
    (folder / ".env").write_text(lines)
    (folder / "settings.ini").write_text("[settings]\n" + lines)
    (folder / "settings.yaml").write_text("".join(f"{n}: {v}\n" for n, v in values.items()))
    script = lines + "".join(f"echo ${name}\n" for name in values)

    environment = environ.Env()
    environment.ENVIRON = dict(values)
    FileEnv.read_env(str(folder / ".env"))
    ini = configparser.ConfigParser()
    ini.read(folder / "settings.ini")
    in_file = decouple.Config(decouple.RepositoryEnv(str(folder / ".env")))
    in_ini = decouple.Config(decouple.RepositoryIni(str(folder / "settings.ini")))
    interpolated = dotenv.dotenv_values(folder / ".env", interpolate=True)
    yaml = YAML(typ="safe").load(folder / "settings.yaml")
    shell = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    shell = dict(zip(values, shell.stdout.splitlines(), strict=True))
    readers = {
        "django-environ": environment.str,
        "django-environ, file": FileEnv().str,
        "configparser": lambda name: ini.get("settings", name),
        "python-decouple": in_file,
        "python-decouple, ini": in_ini,
        "python-dotenv": interpolated.__getitem__,
        "YAML": yaml.__getitem__,
        "sh": shell.__getitem__,
    }
    wrong = set()
    for reader, read in readers.items():
        for name, value in values.items():
            try:
                seen = read(name)
            except Exception as error:
                seen = type(error).__name__
            if seen != value:
                wrong.add(f"{reader}: {name}")
    print("\n".join(sorted(wrong)))


main()
