"""Pages: nothing outside is asked for, text stays text, and what is on them can be read."""

import re
import textwrap
from itertools import combinations

import cv2
import numpy as np
import pytest

from edge_runtime import pages
from edge_runtime.colours import colour_of
from edge_runtime.labels import FERPLUS
from edge_runtime.pages import (
    STRONG,
    Line,
    Mark,
    Span,
    bar,
    bar_chart,
    counted,
    css_colour,
    diagonal_chart,
    histogram,
    interval_chart,
    line_chart,
    matrix,
    page,
    picture,
    section,
    tag,
)
from edge_runtime.pages.page import _style

# Machado, Oliveira & Fernandes 2009, severity 1: what three kinds of colour-blind people see, in linear RGB.
SEEN = {
    "all": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def linear(rgb):
    values = np.asarray(rgb, float) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def luminance(rgb):
    return float(linear(rgb) @ [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    """Of WCAG 2.1: 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def cielab(colour_linear):
    image = np.clip(colour_linear, 0, 1).astype(np.float32)
    gamma = np.where(image <= 0.0031308, 12.92 * image, 1.055 * image ** (1 / 2.4) - 0.055).astype(np.float32)
    return cv2.cvtColor(gamma.reshape(1, 1, 3), cv2.COLOR_RGB2LAB)[0, 0]


def scheme(dark):
    """The style sheet's colours as RGB, those of the dark scheme laid over the light ones."""
    light, _, rest = _style().partition("@media (prefers-color-scheme: dark)")
    words = re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})\b", light)
    if dark:
        words += re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})\b", rest.partition("\n}\n")[0])
    found = {}
    for name, value in words:
        digits = value[1:] if len(value) == 7 else "".join(2 * digit for digit in value[1:])
        found[name] = tuple(int(digits[at : at + 2], 16) for at in (0, 2, 4))
    return found


@pytest.mark.parametrize("seen", SEEN)
def test_expressions_are_told_apart_by_colour_blind_people(seen):
    places = {name: cielab(np.array(SEEN[seen]) @ linear(colour_of(name)[::-1])) for name in FERPLUS.names}
    assert min(float(np.linalg.norm(places[one] - places[two])) for one, two in combinations(places, 2)) > 15


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_the_paper(dark):
    colours = scheme(dark)
    assert contrast(colours["ink"], colours["paper"]) > 12
    assert all(contrast(colours["muted"], colours[under]) > 4.5 for under in ("paper", "wash"))
    assert all(contrast(colours[f"line{index}"], colours["paper"]) > 3 for index in range(8))
    assert colours["paper"] != scheme(not dark)["paper"]


@pytest.mark.parametrize("dark", [False, True])
def test_numbers_in_shaded_cells_can_be_read_at_every_share(dark):
    colours = scheme(dark)
    for share in range(101):
        cell = np.round(np.array(colours["cell"]) * share / 100 + np.array(colours["paper"]) * (1 - share / 100))
        assert contrast(cell, colours["cell-high" if share >= STRONG else "cell-low"]) > 4.5, share


def test_the_front_pages_example_runs():
    example = pages.__doc__.partition("\n\n")[2].partition("\n\nText")[0]
    found: dict[str, str] = {}
    exec(textwrap.dedent(example), found)
    assert "66.5 % &amp; more" in found["html"]
    assert set(pages.__all__) <= set(dir(pages))


def test_text_is_escaped_wherever_it_is_put():
    hostile = '<script>alert("x")</script>&'
    html = page(hostile, section(hostile, tag("p", hostile, title=hostile), note=hostile))
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 5


def test_an_attribute_that_is_none_is_left_out():
    assert tag("p", "5 < 6", class_=None, aria_label="a") == '<p aria-label="a">5 &lt; 6</p>'


def test_the_style_sheet_asks_for_nothing_outside():
    assert not re.search(r"url\(|@import|@font-face|https?:|</", _style())
    assert "default-src &#x27;none&#x27;" in page("x")


def test_a_picture_is_the_same_pixels_within_the_page():
    import base64

    pixels = np.random.default_rng(1).integers(0, 256, (48, 48), np.uint8)
    html = picture(pixels, "a face")
    png = base64.b64decode(html.partition("base64,")[2].partition('"')[0])
    assert np.array_equal(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED), pixels)
    assert 'alt="a face"' in html


def test_a_large_picture_shrinks():
    html = picture(np.zeros((112, 224, 3), np.uint8), "a face")
    assert 'width="64" height="32"' in html


@pytest.mark.parametrize("values", [[1.0], [2.0, 2.0], [0.1, 0.9, float("nan"), 0.5], [1e9, -1e9]])
def test_lines_of_any_values_lie_within_the_drawing(values):
    html = line_chart("y", [Line("a", tuple(enumerate(values))), Line("b", ((0, 1.0),))], "x", [Mark(0.5, "here")])
    points = re.findall(r'points="([^"]*)"', html)
    for x, y in (map(float, point.split(",")) for line in points for point in line.split()):
        assert 44 <= x <= 368
        assert 14 <= y <= 216
    assert "here" in html
    assert "</span>a</span>" in html


def test_bins_without_faces_are_not_drawn():
    html = diagonal_chart("right", [(0.0, 0.0, 0), (0.5, 0.4, 10), (0.9, 0.95, 30)], "sure")
    assert html.count("<circle") == 2
    assert "30 faces, sure of 90 %: 95 % right" in html


def test_a_bar_names_its_share_and_stays_in_its_track():
    assert "--share:41.3" in bar(0.413)
    assert ">41.3<" in bar(0.413)
    assert "--share:100.0" in bar(1.2)


def test_colours_are_written_as_css_writes_them():
    assert css_colour("sad") == "#0072b2"
    assert css_colour("sadness") == "#0072b2"


def numbers(html, name):
    return [float(value) for value in re.findall(rf' {name}="(-?[\d.]+)"', html)]


@pytest.mark.parametrize(
    "spans", [[(50, 50, 50)], [(-1, 0, 1), (-1.5, -1, 0)], [(0, 99.9, 100), (60, 61, 62), (1e-9, 1e-9, 2e-9)]]
)
def test_intervals_and_marks_lie_within_the_drawing(spans):
    html = interval_chart(
        "y",
        [Span(f"side{at}", *each, "said") for at, each in enumerate(spans)],
        "x",
        [Mark(-2.0, "bound"), Mark(0, "0")],
    )
    assert all(0 <= x <= 760 for name in ("x", "x1", "x2", "cx") for x in numbers(html, name))
    assert all(width >= 2 for width in numbers(html, "width"))
    assert html.count('class="band"') == len(spans)
    assert "side0 said" in html
    assert "bound" in html


def test_bars_start_at_zero_and_name_their_values():
    html = bar_chart("dB", [("a", 30.0), ("b", -5.0)], "dB")
    wide, narrow = numbers(html, "width")
    assert wide > 5 * narrow
    assert "a 30.0; b -5.0" in html


def test_a_histogram_has_a_bar_where_something_fell():
    html = histogram("h", [-1.0, 0.0, 1.0, 2.0], [4, 0, 16], "x")
    assert html.count('class="solid') == 2
    assert "16 faces, +1 to +2" in html
    heights = [float(value) for value in re.findall(r'height="([\d.]+)" x="[\d.]+" width="[\d.]+"/>', html)]
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.2)


def test_a_matrix_is_in_per_cent_of_each_label_with_counts_to_point_at():
    html = matrix(["sad", "happy"], [[3, 1], [0, 0]])
    assert ">75<" in html
    assert 'title="3 of 4 faces"' in html
    assert html.count("·") == 2
    assert "strong right" in html


def test_thousands_are_set_apart():
    assert counted(28709) == "28\u202f709"
