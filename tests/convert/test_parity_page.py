"""The page of a parity run: the verdict first, every measure, and nothing from outside."""

import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from convert.parity import ParityError, measure_parity
from convert.parity.evidence import LabelOrder, Match
from convert.parity.page import parity_page, write_page
from convert.parity.refused import Refused
from convert.parity.signals import LayerSignal, Signals
from edge_runtime.facesets import FaceSet
from edge_runtime.labels import FER2013
from tests.convert.parity_made import DATA, facts, flipped, gate, side

FACES = 420
GATE = gate(accuracy_drop_points=1, accuracy_drop_upper_points=2, agreement=0.9, latency_ratio=1.5)


class Made:
    """A result with its faces and answers, as `write_page` takes them."""

    def __init__(self, lost=0, won=0, names=("candidate",), size=48, colour=False, **more):
        labels, reference, candidate = flipped(FACES, lost, won)
        shape = (FACES, size, size, 3) if colour else (FACES, size, size)
        pixels = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
        rows = np.arange(FACES) + 100
        self.faces = FaceSet(pixels, labels, np.full(FACES, "PublicTest"), rows, FER2013)
        self.reference = side(reference, "reference", "keras", size_bytes=4000, macs=7_000_000)
        self.candidates = [side(candidate, name, sure=0.8, arithmetic="int8") for name in names]
        result = measure_parity(
            self.reference, self.candidates, labels, DATA, GATE, {"numpy": "2"}, more.pop("probes", None)
        )
        self.result = dataclasses.replace(result, **more)

    @property
    def html(self):
        return parity_page(self.result, self.faces, self.reference, self.candidates)


class Attributes(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found, self.tags = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.found += [(tag, name, value or "") for name, value in attrs]


@pytest.fixture(scope="module")
def failed():
    return Made(lost=60, won=12)


def test_the_verdict_comes_first_in_a_sign_words_and_a_colour(failed):
    for made, look, mark, word in (
        (failed, "failed", "✕", "Failed"),
        (Made(won=2), "passed", "✓", "Passed"),
        (Made(lost=6, won=3), "unjudged", "?", "Could not be judged"),
    ):
        html = made.html
        verdict = re.search(
            r'<p class="verdict (\w+)"><span class="sign" aria-hidden="true">(.)</span>([^<]*)</p>', html
        )
        assert verdict.groups() == (look, mark, word)
        assert verdict.start() < html.index("<section>")


def test_each_line_says_measured_allowed_and_by_how_much(failed):
    line = next(line for line in failed.result.candidates[0].verdict.lines if line.key == "accuracy_drop_points")
    row = re.search(r"<tr><th scope=\"row\">accuracy drop points</th>.*?</tr>", failed.html).group()
    assert f"{line.measured:.2f} points" in row
    assert "1.00 points" in row
    assert f"over by {line.excess:.2f} points" in row
    assert "failed" in row
    assert f"{line.text}." in failed.html


def test_it_shows_every_measure(failed):
    html, comparison = failed.html, failed.result.candidates[0].comparison
    paired = comparison.paired
    assert f"{paired.difference:+.2f} points ({paired.low:+.2f} to {paired.high:+.2f})" in html
    assert f"reference {100 * comparison.reference.accuracy.value:.2f} %" in html
    assert html.count('class="matrix"') == 2
    assert html.count("right, % of the faces") == 4  # a title and a description of either diagram
    assert "the interval may reach -2" in html
    assert "probability of the reference’s answer moved" in html
    assert html.count("<code>") == 4  # faces, gate, and both models
    assert "7,000,000" in html


def test_flipped_faces_are_shown_the_surest_first_with_all_three_labels(failed):
    html = failed.html
    assert html.count("<li><figure><img") == 24
    assert "Lost: only the reference was right (18 of 60)" in html
    assert "Won: only the candidate is right (6 of 12)" in html
    flip = failed.result.candidates[0].comparison.flips[0]
    names = FER2013.names
    assert f"labelled {names[flip.label]}, row {flip.row}" in html
    assert (
        f"the reference answers {names[flip.reference]}, 90 % sure; the candidate {names[flip.candidate]}, 80 % sure"
        in html
    )


def test_a_candidate_that_flips_nothing_says_so():
    assert "candidate names every face as the reference does" in Made().html


def test_nothing_is_asked_of_the_outside(failed):
    html = failed.html
    seen = Attributes(html)
    links = [value for _, name, value in seen.found if name in ("src", "href", "srcset", "action")]
    assert links
    assert all(value.startswith("data:image/png;base64,") for value in links)
    assert not {"script", "iframe", "link", "object"} & set(seen.tags)
    assert not re.search(r"https?://|url\(|@import", html)
    assert all(value for tag, name, value in seen.found if (tag, name) == ("img", "alt"))
    assert html.count("<svg") == len(re.findall(r'<svg[^>]*role="img"[^>]*aria-label="[^"]+', html))


def test_names_are_text():
    html = Made(lost=4, names=("<script>alert(1)</script>",)).html
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html


@pytest.mark.parametrize("count", [1, 4, 8])
def test_a_page_stays_under_700_kilobytes_with_large_colour_faces(count):
    made = Made(lost=200, won=50, names=[f"candidate{at}" for at in range(count)], size=112, colour=True)
    assert len(made.html.encode()) < 700_000


def test_several_candidates_have_a_table_and_their_own_sections():
    html = Made(lost=60, names=("one.tflite", "two.tflite")).html
    assert "<h1>2 candidates against reference</h1>" in html
    assert html.count("<h2>Gate</h2>") == 2
    assert 'aria-label="All candidates"' in html


def test_signals_are_shown_where_they_were_measured(failed):
    layers = tuple(
        LayerSignal(f"net/conv{at}/Relu", "CONV_2D", 40.0 - at, 0.0, 3.0, 0.0, 1.0, 0.2 * (at == 3)) for at in range(30)
    )
    html = Made(lost=4, signals=(Signals("candidate", "reference", 16, layers),)).html
    assert "The 16 worst of 30 tensors" in html
    assert "conv29/Relu 11.0" in html
    assert "conv3/Relu 20.0 %" in html
    assert "<h2>Signal</h2>" not in failed.html


def test_a_refused_candidate_is_named_with_its_reason():
    assert "other.onnx could not be compared: 8 classes" in Made(refused=(Refused("other.onnx", "8 classes"),)).html


def test_likely_causes_stand_beside_a_failure():
    probe = LabelOrder((1, 0, 2, 3, 4, 5, 6), Match(0.5, 0.5), Match(1.0, 0.0))
    html = Made(lost=60, probes={"candidate": (probe,)}).html
    assert "Likely causes" in html
    assert "Its labels stand in another order" in html
    assert "Likely causes" not in Made(probes={"candidate": (probe,)}).html


def test_it_is_written_whole_and_refuses_other_faces(tmp_path, failed):
    path = write_page(tmp_path, failed.result, failed.faces, failed.reference, failed.candidates)
    assert path == tmp_path / "parity.html"
    assert path.read_text() == failed.html
    with pytest.raises(ParityError, match="others than those that were answered"):
        write_page(tmp_path, failed.result, failed.faces.where(np.arange(9)), failed.reference, failed.candidates)
    with pytest.raises(ParityError, match="answers of reference"):
        write_page(tmp_path, failed.result, failed.faces, failed.reference, [])


def test_faces_without_a_label_are_left_out():
    made = Made(lost=30)
    labels = made.faces.labels.copy()
    labels[::2] = -1
    faces = dataclasses.replace(made.faces, labels=labels)
    result = measure_parity(made.reference, made.candidates, labels, DATA, GATE, {})
    html = parity_page(result, faces, made.reference, made.candidates)
    assert "210 faces" in html
    assert "210 without a label left out" in html


def test_a_latency_that_is_not_known_says_so():
    made = Made(lost=4)
    assert facts().latency_ms == 2.0
    changed = [dataclasses.replace(made.candidates[0], facts=facts(latency_ms=None, macs=None, size_bytes=None))]
    result = measure_parity(made.reference, changed, made.faces.labels, DATA, GATE, {})
    assert "not known" in parity_page(result, made.faces, made.reference, changed)
