"""The pages on `fer-edge serve` with the real live loop and a real video, in headless Chromium, from the token on."""

import time

import pytest

pytest.importorskip("uvicorn", reason="the extra [kiosk] is not installed")
pytest.importorskip("starlette", reason="the extra [kiosk] is not installed")

from tests.browser.chromium import Chromium, program
from tests.served import PORTRAIT, Served, clip

pytestmark = pytest.mark.skipif(program() is None, reason="no Chromium on this machine (apt install chromium)")

TOKEN = "correct-horse-battery-staple"
LONG_S = 90.0
"""For a machine that is busy with other things; the promises themselves are measured in benchmarks/kiosk.py."""

SURE = ("--set", "smoothing.threshold=0", "--set", "smoothing.margin=0")
"""Whatever the tiny model says is shown, and so stands on the ribbon."""

PIXELS = """(() => { const c = document.getElementById('picture');
    return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.reduce((sum, v, at) => (sum * 31 + v + at) % 1000003, 0) })()"""


@pytest.fixture(scope="module")
def browser():
    with Chromium() as browser:
        yield browser


def test_a_video_is_shown_with_its_faces_to_who_has_the_token_and_a_photograph_is_read(browser, tmp_path):
    secret = tmp_path / "token"
    secret.write_text(TOKEN + "\n")
    video = clip(tmp_path / "clip.avi")
    with Served(tmp_path, f"file:{video}?pace=real&loop=true", "--token-file", secret, *SURE) as served:
        browser.open(served.url)
        browser.wait("document.querySelector('form.token')")
        browser.run("document.querySelector('#token').value = 'not the token at all'")
        browser.run("document.querySelector('form').submit()")
        browser.wait("location.pathname === '/token' && document.querySelector('form.token')")
        browser.run(f"document.querySelector('#token').value = '{TOKEN}'; document.querySelector('form').submit()")

        browser.wait("document.querySelector('#people .card h2').textContent.length > 3", LONG_S)
        browser.wait("document.querySelector('.box .tag').textContent.length > 3", LONG_S)
        assert browser.run("document.getElementById('picture').width") == 320
        seen, deadline = set(), time.monotonic() + LONG_S
        while len(seen) < 4:
            assert time.monotonic() < deadline, "the picture does not move"
            seen.add(browser.run(PIXELS))
            time.sleep(0.1)
        browser.wait("document.querySelector('#roll rect')", LONG_S)
        assert "cpu" in browser.run("document.getElementById('vitals').textContent")
        browser.failures.clear()  # the browser logs the two refusals

        browser.open(served.url + "picture")
        browser.wait("!document.querySelector('#webcam').disabled")
        browser.choose_file("#file", PORTRAIT)
        browser.wait("document.querySelector('#found .card h2')", LONG_S)
        assert browser.run("document.querySelectorAll('#boxes .box').length") == 1

        browser.open(served.url + "keeper")
        browser.wait("/clip.avi/.test(document.getElementById('live').textContent)", LONG_S)
        browser.wait("document.querySelectorAll('#charts svg').length >= 2", LONG_S)
        assert browser.failures == []


def test_a_camera_that_is_lost_is_told_and_the_page_goes_on_by_itself_once_it_is_back(browser, tmp_path):
    with Served(tmp_path, "synthetic?size=320x240&fps=10&fault=lost@10s:5") as served:
        browser.open(served.url)
        browser.wait("document.querySelector('#people .card h2')", LONG_S)
        browser.wait("/camera does not answer/.test(document.getElementById('notice').textContent)", LONG_S)
        browser.wait("document.querySelector('#faults li') && !document.querySelector('#people .card')", LONG_S)
        browser.wait("document.getElementById('notice').textContent === ''", LONG_S)
        browser.wait("!document.querySelector('#faults li') && document.querySelector('#people .card h2')", LONG_S)


def test_a_recording_that_is_over_is_not_called_a_lost_camera(browser, tmp_path):
    with Served(tmp_path, f"file:{clip(tmp_path / 'clip.avi', 0.5)}") as served:
        browser.open(served.url + "?lang=de")
        browser.wait("document.getElementById('notice').textContent === 'Die Aufnahme ist zu Ende.'", LONG_S)
        time.sleep(4)
        assert browser.run("document.getElementById('notice').textContent") == "Die Aufnahme ist zu Ende."
