"""axe-core in a page: which rules for people with disabilities it breaks.

axe-core is under the MPL 2.0 and no part of this project; the package `axe-core-python` of the extra [test] carries it, has
no dependencies of its own, and is read here as a file. AXE_CORE=FILE names another, such as a newer axe.min.js.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

_RUN = """axe.run(document, {resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})
    .then((found) => found.violations.map((rule) => ({rule: rule.id, impact: rule.impact,
        where: rule.nodes.map((node) => `${node.target.join(' ')}: ${node.failureSummary}`.slice(0, 300))})))"""


def script():
    """The file axe.min.js; None where there is none."""
    if named := os.environ.get("AXE_CORE"):
        return Path(named)
    found = importlib.util.find_spec("axe_core_python")
    if found is None or found.origin is None:
        return None
    path = Path(found.origin).with_name("axe.min.js")
    return path if path.is_file() else None


def violations(browser):
    """[{rule, impact, where}, …] of the page that is open. `impact` is minor, moderate, serious or critical."""
    if not browser.run("typeof axe === 'object'"):
        browser.call("Runtime.evaluate", expression=script().read_text(), returnByValue=False, timeout=120)
    return browser.run(_RUN)
