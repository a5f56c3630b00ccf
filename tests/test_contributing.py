"""What CONTRIBUTING.md says is done exactly as it is written: in a copy, with nothing else changed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOLD = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w./]+)`\n\n```\w+\n(.*?)^```$", TOLD, re.MULTILINE | re.DOTALL))
(LINE,) = re.findall(r"^```text\n( +st\.Page\(.*\n)```$", TOLD, re.MULTILINE)


def test_it_tells_of_these_files() -> None:
    assert set(FILES) == {
        "probes/studies/halves.py",
        "probes/studies/halves.toml",
        "probes/models/kinds/counting.py",
        "dashboard/views/first.py",
    }


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages with what is told put in; all else is this one's, by links."""
    root = tmp_path_factory.mktemp("house")
    own = {folder for name in FILES for folder in Path(name).parents if folder != Path()}
    for folder in sorted(own):
        (root / folder).mkdir(parents=True, exist_ok=True)
        for path in (ROOT / folder).iterdir():
            if path.relative_to(ROOT) not in own and path.name != "__pycache__":
                (root / folder / path.name).symlink_to(path)
    for name, text in FILES.items():
        (root / name).write_text(text, encoding="utf-8")
    page = (ROOT / "dashboard" / "page.py").read_text(encoding="utf-8")
    at = page.index('        st.Page("views/models.py"')
    (root / "dashboard" / "page.py").unlink()
    (root / "dashboard" / "page.py").write_text(page[:at] + LINE + page[at:], encoding="utf-8")
    return root


def python(house: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(house), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=house, env=environment, capture_output=True, text=True, check=False
    )


def test_the_study_is_a_command(house: Path) -> None:
    told = python(house, "-m", "probes", "halves", "--help", "--lang", "en").stdout
    assert "half of the passage" in told
    assert "How often the passage is halved." in told
    made = python(house, "-m", "probes", "halves", "--preset", "coffee-en", "--no-cache", "--json", "-")
    record = json.loads(made.stdout)
    assert [row["depth"] for row in record["rows"]] == [0, 0, 1, 1, 2, 2]
    assert record["headline"].startswith("The model says “once”")
    assert "moves the answer most" in record["headline"]
    shown = python(
        house, "-m", "probes", "halves", "--preset", "coffee-zh", "--lang", "zh", "--no-cache"
    ).stdout
    assert "深度" in shown


PAGES = """
import json, sys
from streamlit.testing.v1 import AppTest

at = AppTest.from_file("dashboard/page.py", default_timeout=120)
at.query_params["study"] = "halves"
at.run()
told = []
for view in ("study", "first"):
    at.switch_page(f"views/{view}.py").run()
    offers = [button for button in at.button if button.key and button.key.endswith("_measure")]
    at = offers[0].click().run() if offers else at
    told.append([at.subheader[0].value, len(at.get("vega_lite_chart")), len(at.exception), len(at.error)])
at = AppTest.from_file("dashboard/page.py", default_timeout=120)
at.query_params["model"] = "counting:walked"
at.query_params["lang"] = "en"
at.run()
asked = [info.value for info in at.info]
next(button for button in at.button if button.label == "Send them there").click().run()
told.append([at.subheader[0].value, len(at.get("vega_lite_chart")), len(at.exception), len(at.error)])
told.append(asked)
print(json.dumps(told))
"""


def test_the_study_has_its_page_and_a_page_of_ones_own_is_one_file_and_a_line(house: Path) -> None:
    (house / "pages.py").write_text(PAGES, encoding="utf-8")
    made = python(house, "pages.py")
    study, first, elsewhere, asked = json.loads(made.stdout.splitlines()[-1])
    assert "moves the answer most" in study[0]
    assert study[1:] == [1, 0, 0]
    assert "Yesterday" in first[0]
    assert first[2:] == [0, 0]
    assert "sent there" in asked[0]
    assert "The model says" in elsewhere[0]
    assert elsewhere[1] >= 1
    assert elsewhere[2:] == [0, 0]


def test_the_model_is_opened_by_its_name(house: Path) -> None:
    asked = ["words", "--model", "counting:walked", "--preset", "coffee-en", "--no-cache"]
    made = python(house, "-m", "probes", *asked, "--json", "-")
    record = json.loads(made.stdout)
    assert record["clean"]["known"] == {"how": "samples", "samples": 20}
    (walked,) = [row for row in record["rows"] if row["text"] == "walked"]
    assert walked["flips_clearly"]
    assert walked["effect_probability_interval"][1] < 0
    assert "--model counting:walked" in record["provenance"]["command_line"]
    assert "20 answers drawn" in made.stderr
    told = python(house, "-m", "probes", *asked[:4], "coffee-zh", "--lang", "zh", "--no-cache").stdout
    assert "走进" in told
    refused = python(house, "-m", "probes", "heads", *asked[1:])
    assert refused.returncode == 5
    assert "answers from elsewhere" in refused.stderr
