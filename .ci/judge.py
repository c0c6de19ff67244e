"""Fails unless a report's one module reached a line+branch coverage: judge.py REPORT PERCENT."""

import json
import sys
from pathlib import Path

report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
[module] = report["modules"]
reached = module["coverage"]["after"]["pooled"]
tests, seconds = module["tests_kept"], module["seconds"]
print(f"{module['path']}: {tests} tests, {reached} % line+branch, {seconds} s")
sys.exit(0 if reached >= float(sys.argv[2]) and report["exit_code"] == 0 else 1)
