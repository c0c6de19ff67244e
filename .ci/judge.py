"""Fails unless the one module of a report reached a line+branch coverage: judge.py REPORT PERCENT."""

import json
import sys
from pathlib import Path

report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
[module] = report["modules"]
reached = module["coverage"]["after"]["pooled"]
print(f"{module['path']}: {module['tests_kept']} tests, {reached} % line+branch, {module['seconds']} s")
sys.exit(0 if reached >= float(sys.argv[2]) and report["exit_code"] == 0 else 1)
