"""Why a candidate failed: the evidence in a parity report, weighed.

    from pathlib import Path

    from convert.explain import likely_causes, read_report

    for candidate in read_report(Path("report")).candidates:
        for cause in likely_causes(candidate):
            print(candidate.name, cause.title, cause.evidence, cause.mend)

No model is read: what was gathered while parity ran is in the report.
"""

from convert.explain.cause import Cause
from convert.explain.causes import likely_causes
from convert.explain.report import Report, Reported, read_report

__all__ = ["Cause", "Report", "Reported", "likely_causes", "read_report"]
