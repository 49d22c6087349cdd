"""Every page in every state passes axe-core, light and dark, on the screens that it is made for."""

import pytest

pytest.importorskip("uvicorn", reason="the extra [kiosk] is not installed")
pytest.importorskip("starlette", reason="the extra [kiosk] is not installed")

from tests.browser.axe import script, violations
from tests.browser.chromium import Chromium, program
from tests.edge_runtime.kiosk.stage import face, stage
from tests.served import PORTRAIT

pytestmark = [
    pytest.mark.skipif(program() is None, reason="no Chromium on this machine (apt install chromium)"),
    pytest.mark.skipif(script() is None, reason="no axe-core (pip install axe-core-python, or AXE_CORE=axe.min.js)"),
]

LABELS = ("happy", "surprise", "disgust", "neutral")
KIOSK = {
    "one face": (1, ""),
    "four faces": (4, ""),
    "nobody": (0, ""),
    "the camera lost": (1, "lost"),
}
SCREENS = ((800, 480), (1080, 1920), (3840, 2160))


@pytest.fixture(scope="module")
def browser():
    with Chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def running():
    with stage([face()]) as running:
        yield running


def calm(browser):
    """Waits until nothing moves, so that no colour is judged halfway."""
    browser.wait("document.getAnimations().every((each) => each.playState !== 'running')")


def open_kiosk(browser, running, state, *size, dark=False):
    count, fault = KIOSK[state]
    running.loop.lost = False
    running.loop.faces = tuple(face(label, 0.6, label) for label in LABELS[:count])
    browser.open(running.server.url, *size, dark=dark, calm=True)
    browser.wait("!document.body.classList.contains('waiting') && document.querySelector('#roll line')")
    if count:
        browser.wait(f"document.querySelectorAll('.card').length === {count}")
    if fault:
        running.loop.lost = True
        browser.wait("document.getElementById('notice').textContent && document.querySelector('#faults li')")
    calm(browser)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("state", KIOSK)
def test_the_kiosk_breaks_no_rule(browser, running, state, dark):
    open_kiosk(browser, running, state, dark=dark)
    assert violations(browser) == []


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_the_kiosk_breaks_no_rule_on_any_screen(browser, running, width, height):
    open_kiosk(browser, running, "four faces", width, height)
    assert violations(browser) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_picture_page_breaks_no_rule(browser, running, tmp_path, dark):
    browser.open(running.server.url + "picture", dark=dark, calm=True)
    browser.wait("!document.querySelector('#webcam').disabled")
    assert violations(browser) == []
    browser.choose_file("#file", PORTRAIT)
    browser.wait("document.querySelector('#found .card h2')")
    assert violations(browser) == []
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(PORTRAIT.read_bytes()[:4000])
    browser.choose_file("#file", broken)
    browser.wait("document.querySelector('#status.wrong')")
    assert violations(browser) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_keepers_page_breaks_no_rule(browser, running, dark):
    running.loop.lost = False
    browser.open(running.server.url + "keeper", dark=dark, calm=True)
    browser.wait("document.querySelectorAll('#charts svg').length >= 2 && document.querySelector('#live dd')")
    browser.wait("document.getElementById('verdict').textContent === 'All is well'")
    assert violations(browser) == []
    running.loop.lost = True
    browser.wait("document.querySelector('#faults li') && document.querySelector('#past li.broken')")
    assert violations(browser) == []
    running.loop.lost = False


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_form_for_the_token_breaks_no_rule(browser, tmp_path, dark):
    secret = tmp_path / "token"
    secret.write_text("correct-horse-battery-staple")
    with stage(runs=False, token_file=str(secret)) as guarded:
        browser.open(guarded.server.url, dark=dark, calm=True)
        browser.wait("document.querySelector('form.token')")
        assert violations(browser) == []


def test_a_page_that_breaks_rules_is_seen_to(browser, running):
    open_kiosk(browser, running, "one face")
    browser.run("document.querySelector('.card h2').style.color = '#ccc'")
    browser.run("document.querySelector('nav a').textContent = ''")
    assert {"color-contrast", "link-name"} <= {each["rule"] for each in violations(browser)}
