"""Verdicts for other programs: JUnit XML as CI servers read it, and JSON."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import Any

from hcc.runtime.workload.testing import Verdict

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(verdicts: Sequence[Verdict]) -> bytes:
    """One test suite a workload, one test case a verdict."""
    root = ET.Element("testsuites")
    for verdict in verdicts:
        cases = verdict.cases
        suite = ET.SubElement(
            root, "testsuite", name=verdict.workload, tests=str(len(cases)),
            failures=str(sum(c.state == "failed" for c in cases)), errors="0",
            skipped=str(sum(c.state == "skipped" for c in cases)),
            time=f"{sum(c.seconds for c in cases):.3f}",
        )  # fmt: skip
        for case in cases:
            element = ET.SubElement(
                suite, "testcase", classname=case.workload, name=_clean(case.name),
                time=f"{case.seconds:.3f}",
            )  # fmt: skip
            message = _clean(case.message)
            if case.state == "failed":
                first = (message.splitlines() or [""])[0]
                ET.SubElement(element, "failure", message=first).text = message
            elif case.state == "skipped":
                ET.SubElement(element, "skipped", message=message)
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _clean(text: str) -> str:
    return _NOT_XML.sub("?", text)


def as_json(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The verdicts with their sums."""
    states = [verdict.state for verdict in verdicts]
    return {
        "ok": "failed" not in states,
        "passed": states.count("passed"),
        "failed": states.count("failed"),
        "skipped": states.count("skipped"),
        "workloads": [
            {
                "name": v.workload,
                "state": v.state,
                "folder": None if v.folder is None else str(v.folder),
                "updated": v.updated,
                "cases": [
                    {
                        "name": c.name,
                        "state": c.state,
                        "message": c.message,
                        "seconds": round(c.seconds, 3),
                    }
                    for c in v.cases
                ],
            }
            for v in verdicts
        ],
    }
