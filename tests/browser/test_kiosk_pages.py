"""The pages as visitors and the keeper meet them, in headless Chromium: pictures move, labels appear, faults show and clear."""

import re
import threading
import time

import cv2
import numpy as np
import pytest

pytest.importorskip("uvicorn", reason="the extra [kiosk] is not installed")
pytest.importorskip("starlette", reason="the extra [kiosk] is not installed")

from benchmarks.chromium import Chromium, program
from edge_runtime.kiosk.access import access_of
from edge_runtime.kiosk.app import kiosk_app
from edge_runtime.kiosk.server import KioskServer, listen
from edge_runtime.kiosk.words import WORDS
from edge_runtime.live.hub import Hub
from edge_runtime.live.quality import BLURRED, SMALL, TILTED, TURNED
from edge_runtime.live.smoothing import SETTLING, UNCLEAR
from edge_runtime.settings.kiosk import KioskSettings
from tests.edge_runtime.kiosk.stage import FakeLoop, face, stage
from tests.support import ROOT

pytestmark = pytest.mark.skipif(program() is None, reason="no Chromium on this machine (apt install chromium)")

PORTRAIT = ROOT / "edge_runtime" / "demo" / "astronaut.jpg"
SIZES = ((800, 480), (480, 800), (1280, 720), (1080, 1920), (3840, 2160))


@pytest.fixture(scope="module")
def browser():
    with Chromium() as browser:
        yield browser


@pytest.fixture
def running():
    with stage([face()]) as running:
        yield running


def test_the_picture_moves_and_the_expression_is_named(browser, running):
    browser.open(running.server.url)
    browser.wait("!document.body.classList.contains('waiting') && document.querySelector('#people .card')")
    assert browser.run("document.querySelector('.card h2').textContent") == "happy"
    assert browser.run("document.querySelector('.card .score').textContent") == "80 %"
    assert browser.run("document.querySelector('.box .tag').textContent") == "happy 80 %"
    # The square of the made-up scene goes from left to right; in the mirror it is the canvas that is turned.
    places = set()
    for _ in range(4):
        row = "[...document.getElementById('picture').getContext('2d').getImageData(0, 70, 640, 1).data]"
        places.add(browser.run(f"{row}.findIndex((value, at) => at % 4 === 0 && value > 180)"))
        time.sleep(0.3)
    assert len(places) > 1
    assert browser.failures == []


def test_boxes_lie_where_faces_are_in_the_mirror_too(browser, running):
    browser.open(running.server.url)
    browser.wait("document.querySelector('.box')")
    where = "(() => { const s = document.getElementById('stage').getBoundingClientRect(), b = document.querySelector('.box').getBoundingClientRect(); return (b.left - s.left) / s.width })()"
    assert browser.run(where) == pytest.approx(1 - 360 / 640, abs=0.01)
    browser.press("m")
    browser.wait("!document.body.classList.contains('mirrored')")
    time.sleep(0.3)
    assert browser.run(where) == pytest.approx(200 / 640, abs=0.01)


def test_a_room_without_a_face_invites(browser, running):
    running.loop.faces = ()
    browser.open(running.server.url + "?lang=de")
    browser.wait(
        "document.body.classList.contains('attract') && getComputedStyle(document.querySelector('#attract')).display === 'grid'"
    )
    browser.wait("document.querySelector('#attract h2').textContent === 'Komm ein wenig näher'")
    running.loop.faces = (face("sad", 0.7),)
    browser.wait("!document.body.classList.contains('attract')", 5)
    assert browser.run("document.querySelector('.card h2').textContent") == "traurig"


def test_a_lost_camera_is_on_the_page_soon_and_soon_gone(browser, running):
    # Three seconds and two are promised; benchmarks/kiosk.py measures them. This machine may be busy.
    browser.open(running.server.url)
    browser.wait("document.querySelector('.box')")
    running.loop.lost = True
    assert browser.wait("/camera does not answer/.test(document.getElementById('notice').textContent)") < 10
    browser.wait("document.querySelector('#faults li')")
    assert "no frame for 3 s" in browser.run("document.getElementById('faults').textContent")
    running.loop.lost = False
    assert (
        browser.wait("document.getElementById('notice').textContent === '' && !document.querySelector('#faults li')")
        < 10
    )


def test_the_page_comes_back_by_itself_after_the_server(browser):
    settings = KioskSettings()
    hub = Hub()
    loop, stop = FakeLoop(hub, [face()]), threading.Event()
    threading.Thread(target=loop.run, args=(stop,), daemon=True).start()

    def server(port):
        return KioskServer(
            kiosk_app(hub, settings, access_of(settings), metrics=loop.metrics), listen("127.0.0.1", port)
        )

    try:
        with server(0) as first:
            port, url = first.port, first.url
            browser.open(url)
            browser.wait("document.querySelector('.box')")
        browser.wait("/Waiting for the computer/.test(document.getElementById('notice').textContent)", 10)
        with server(port):
            browser.wait(
                "document.getElementById('notice').textContent === '' && !document.body.classList.contains('away')", 20
            )
            number = browser.run("document.getElementById('vitals').textContent")
            assert "frames/s" in number
    finally:
        stop.set()


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_kiosk_fits_every_screen_without_scrolling(browser, running, width, height):
    for count in (1, 4, 0):
        running.loop.faces = tuple(
            face(label, 0.6, label) for label in ("happy", "surprise", "disgust", "neutral")[:count]
        )
        browser.open(running.server.url + "?lang=fr", width, height)
        browser.wait("document.querySelector('#roll line') && !document.body.classList.contains('waiting')")
        if count:
            browser.wait(f"document.querySelectorAll('.card').length === {count}")
        outside = """[...document.querySelectorAll('#stage, .card h2, .card .score, .row, #attract h2, #attract p, #ribbon, footer *')]
            .filter((each) => each.getClientRects().length && getComputedStyle(each).display !== 'none')
            .filter((each) => { const r = each.getBoundingClientRect();
                return r.width && (r.left < -1 || r.top < -1 || r.right > innerWidth + 1 || r.bottom > innerHeight + 1) })
            .map((each) => each.outerHTML.slice(0, 80))"""
        assert browser.run(outside) == []
        assert browser.run(
            "document.documentElement.scrollHeight <= innerHeight && document.documentElement.scrollWidth <= innerWidth"
        )
        overlap = """(() => { const people = document.querySelector('#people'), r = people.getBoundingClientRect();
            return [...people.querySelectorAll('h2, .score, .row')].filter((each) => { const b = each.getBoundingClientRect();
                return b.width && (b.top < r.top - 2 || b.bottom > r.bottom + 2 || b.right > r.right + 2) }).length })()"""
        assert browser.run(overlap) == 0


def test_a_chosen_picture_is_read_and_a_refused_one_says_why(browser, running, tmp_path):
    browser.open(running.server.url + "picture")
    browser.wait("!document.querySelector('#webcam').disabled")
    browser.choose_file("#file", PORTRAIT)
    browser.wait("document.querySelector('#found .card')")
    assert browser.run("document.querySelectorAll('#boxes .box').length") == 1
    grey = tmp_path / "grey.png"
    cv2.imwrite(str(grey), np.full((60, 80, 3), 128, np.uint8))
    browser.choose_file("#file", grey)
    browser.wait("/No face was found/.test(document.getElementById('status').textContent)")
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(PORTRAIT.read_bytes()[:4000])
    browser.choose_file("#file", broken)
    browser.wait("document.querySelector('#status.wrong')")
    assert "cut off" in browser.run("document.getElementById('status').textContent")


def test_the_visitors_own_camera_takes_a_picture(browser, running):
    browser.open(running.server.url + "picture")
    browser.wait("!document.querySelector('#webcam').disabled")
    browser.run("document.getElementById('webcam').click()")
    browser.wait("document.getElementById('webcam').textContent === 'Take the picture'")
    browser.run("document.getElementById('webcam').click()")
    browser.wait("/found|No face/.test(document.getElementById('status').textContent)")


def test_a_browser_without_the_token_is_asked_for_it(browser, tmp_path):
    secret = tmp_path / "token"
    secret.write_text("correct-horse-battery-staple")
    with stage([face()], token_file=str(secret)) as running:
        browser.open(running.server.url)
        browser.wait("document.querySelector('form.token')")
        browser.run(
            "document.querySelector('#token').value = 'correct-horse-battery-staple'; document.querySelector('form').submit()"
        )
        browser.wait("document.querySelector('.box')")


def test_the_keeper_sees_what_broke(browser, running):
    browser.open(running.server.url + "keeper")
    browser.wait("document.querySelectorAll('#charts svg').length >= 2")
    assert browser.run("document.getElementById('verdict').textContent") == "All is well"
    running.loop.lost = True
    browser.wait("document.getElementById('verdict').textContent === 'It works, with less'", 5)
    browser.wait("document.querySelector('#past li.broken')")
    running.loop.hung = True
    browser.wait("document.getElementById('verdict').textContent === 'No results come'", 15)


def test_minutes_in_which_nothing_could_be_told_stand_in_the_history_too(browser, running):
    running.loop.faces = (face("uncertain", 0.3, reason="small"),)
    browser.open(running.server.url + "?lang=de")
    browser.wait("document.querySelector('#roll rect.uncertain')")
    assert browser.run("document.querySelector('#ribbon .key').lastChild.textContent") == "unsicher"
    assert browser.run("document.querySelector('.card .score').textContent") == "zu weit weg"


def test_every_reason_for_uncertainty_has_words():
    reasons = {SETTLING, UNCLEAR, SMALL, BLURRED, TURNED, TILTED}
    assert reasons <= set(WORDS)


def test_languages_are_complete(browser, running):
    for language in ("en", "de", "fr", "es", "zh"):
        browser.open(running.server.url + f"?lang={language}")
        browser.wait(f"document.documentElement.lang === '{language}' && document.querySelector('.card')")
        assert browser.run("[...document.querySelectorAll('[data-word]')].every((each) => each.textContent.length > 0)")


# Without axe-core (test_kiosk_axe.py) these of its rules are held, the ones that such pages break most easily.
CHECKS = """(() => {
  const wrong = [];
  const seen = (each) => each.getClientRects().length > 0;
  for (const each of document.querySelectorAll('img, svg[role=img], canvas[role=img]'))
    if (!each.getAttribute('alt') && !each.getAttribute('aria-label')) wrong.push('no name: ' + each.outerHTML.slice(0, 60));
  for (const each of document.querySelectorAll('a, button, input'))
    if (seen(each) && !(each.textContent.trim() || each.getAttribute('aria-label') || each.labels?.length)) wrong.push('no name: ' + each.outerHTML.slice(0, 60));
  if (!document.documentElement.lang) wrong.push('no language');
  if (!document.title) wrong.push('no title');
  if (document.querySelectorAll('h1').length !== 1) wrong.push('not one h1');
  if (document.querySelectorAll('main').length !== 1) wrong.push('not one main');
  const ids = [...document.querySelectorAll('[id]')].map((each) => each.id);
  if (new Set(ids).size !== ids.length) wrong.push('an id twice');
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (each) => { for (; each; each = each.parentElement) { const c = rgb(getComputedStyle(each).backgroundColor); if (c.length < 4 || c[3] > 0.5) return c; } return [255, 255, 255]; };
  for (const each of document.querySelectorAll('h1:not(.unseen), h2, p:not(.unseen), a, b, li, dt, dd, span, button, label, .tag')) {
    if (!seen(each) || ![...each.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) continue;
    const style = getComputedStyle(each);
    const [low, high] = [light(rgb(style.color)), light(behind(each))].sort((a, b) => a - b);
    const large = parseFloat(style.fontSize) >= 24;
    if ((high + 0.05) / (low + 0.05) < (large ? 3 : 4.5)) wrong.push('contrast: ' + each.outerHTML.slice(0, 60));
  }
  return wrong;
})()"""


@pytest.mark.parametrize("dark", [False, True])
def test_pages_can_be_read_and_operated_by_everybody(browser, running, dark):
    for path in ("", "picture", "keeper"):
        browser.open(running.server.url + path, dark=dark, calm=True)
        browser.wait("document.querySelector('.card, #webcam, #charts svg')")
        time.sleep(0.5)
        assert browser.run(CHECKS) == []
        assert browser.run("getComputedStyle(document.querySelector('a')).animationName") == "none"
        browser.run("document.body.focus()")
        browser.press("Tab")
        assert browser.run("document.activeElement !== document.body")


def test_every_page_loads_from_this_machine_alone_and_little(browser, running):
    for path in ("", "picture", "keeper"):
        browser.open(running.server.url + path)
        browser.wait("document.querySelector('.card, #webcam, #charts svg')")
        loaded = browser.run(
            "performance.getEntriesByType('resource').map((each) => [each.name, each.decodedBodySize])"
        )
        assert all(name.startswith(running.server.url) for name, _ in loaded)
        assert sum(size for name, size in loaded if not re.search(r"/api/(stream|events|history)", name)) < 150_000
