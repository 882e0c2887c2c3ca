"""Prints a YAML file as JSON. GitLab's !reference [JOB, KEY] becomes {"!reference": [JOB, KEY]}."""

import json
import sys

from ruamel.yaml import YAML

yaml = YAML(typ="safe", pure=True)
yaml.constructor.add_constructor(
    "!reference", lambda loader, node: {"!reference": loader.construct_sequence(node)}
)
with open(sys.argv[1], encoding="utf-8") as file:
    json.dump(yaml.load(file), sys.stdout)
