"""The page in Chromium: clicked, tabbed through, in any size and scheme, without a complaint."""

import itertools
from dataclasses import replace

import pytest

import qcodec
from qcodec.report import Curve, gather, write_html
from tests.report.browser import Browser
from tests.report.nets import pruned, save, weights
from tests.report.test_page import HOSTILE, many

CURVE = Curve([(500, 9.0), (1200, 14.0), (2400, 19.5)], 1)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    one = Browser(tmp_path_factory.mktemp("chromium"))
    yield one
    one.close()


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    tensors = {
        "features.0.weight": weights(),
        "features.0.bias": weights()[0],
        "features.1.weight": pruned(),
        "head.weight": weights().T.copy(),
    }
    recipe = {
        "0.weight": qcodec.Codebook(4),
        "1.weight": qcodec.DeepCompression(4),
        "head": qcodec.Affine(8, per=0),
    }
    return gather(*save(tmp_path_factory.mktemp("net"), tensors, recipe))


@pytest.fixture
def shown(browser, tmp_path):
    """Open the page of facts; nothing may be complained about, and nothing else requested."""

    def show(facts, curve=None, **options):
        path = tmp_path / "report.html"
        write_html(path, facts, curve)
        browser.requests.clear()
        browser.complaints.clear()
        browser.open(path, **options)
        return browser

    yield show
    browser.run("1")  # what came before has arrived
    assert browser.complaints == []
    assert {url for url in browser.requests if not url.startswith("data:")} <= {
        (tmp_path / "report.html").as_uri()
    }


def test_every_part_is_drawn(shown, net):
    page = shown(net, CURVE)
    assert page.run("document.querySelectorAll('#waterfall tbody tr').length") >= 5
    assert page.run("document.querySelectorAll('#treemap .tile').length") == 4
    assert page.run("document.querySelectorAll('#gallery svg').length") == 4
    assert page.run("document.querySelectorAll('#entropy circle').length") == 3
    assert page.run("document.querySelectorAll('#curve .chosen').length") == 1
    assert page.run("document.querySelectorAll('#table tbody tr').length") == 4
    assert page.run("document.querySelectorAll('#gallery .level').length") > 8
    cells = (
        "[...document.querySelectorAll('#table tbody tr')].map((row) => row.cells[5].textContent)"
    )
    sizes = [int(text.replace(",", "")) for text in page.run(cells)]
    assert sizes == sorted((tensor.bytes for tensor in net.tensors), reverse=True)
    shown_bytes = page.run(
        "document.querySelector('#waterfall tbody tr:last-child').cells[2].textContent"
    )
    assert shown_bytes == f"{net.bytes:,}"


def test_without_a_curve_or_codes_there_is_no_empty_part(shown, tmp_path):
    path, _ = save(tmp_path, {"a": weights()})
    page = shown(gather(path))
    assert page.run("document.getElementById('curve-section').hidden")
    assert page.run("document.getElementById('entropy-section').hidden")


def test_a_click_on_a_tile_or_a_name_shows_the_tensor(shown, net):
    page = shown(net)
    page.click(".tile[aria-label^='features.1.weight']")
    assert page.run("document.querySelector('#layer h3').textContent") == "features.1.weight"
    assert page.run("document.querySelector('.tile[aria-pressed=true]').ariaLabel").startswith(
        "features.1"
    )
    page.click("#table tbody tr:last-child button")
    smallest = min(net.tensors, key=lambda tensor: tensor.bytes)
    assert page.run("document.querySelector('#layer h3').textContent") == smallest.name
    assert page.run("document.activeElement.id") == "layer"


def test_keys_reach_every_tile_and_a_tile_is_chosen_by_enter(shown, net):
    page = shown(net)
    for _ in range(10):
        page.press("Tab")
        if page.run("document.activeElement.className") == "tile":
            break
    names = [page.run("document.activeElement.ariaLabel")]
    for _ in range(3):
        page.press("ArrowRight")
        names.append(page.run("document.activeElement.ariaLabel"))
    assert {name.partition(":")[0] for name in names} == {tensor.name for tensor in net.tensors}
    page.press("Enter")
    assert (
        page.run("document.querySelector('#layer h3').textContent") == names[-1].partition(":")[0]
    )
    page.press("Home")
    assert page.run("document.activeElement.ariaLabel") == names[0]
    page.press("Tab")
    assert page.run("document.activeElement.className") != "tile"


def test_columns_sort_and_names_filter(shown, net):
    page = shown(net)
    names = "[...document.querySelectorAll('#table tbody th')].map((cell) => cell.textContent)"
    page.click("#table thead th:first-child button")
    assert page.run(names) == sorted(tensor.name for tensor in net.tensors)
    assert page.run("document.querySelector('#table thead th').ariaSort") == "ascending"
    page.click("#table thead th:first-child button")
    assert page.run(names) == sorted((tensor.name for tensor in net.tensors), reverse=True)
    page.click("#filter")
    page.call("Input.insertText", text="HEAD")
    assert page.run(names) == ["head.weight"]
    assert page.run("document.getElementById('count').textContent") == "1 of 4 tensors"


@pytest.mark.parametrize("dark", [False, True])
def test_the_scheme_is_that_of_the_system_until_the_button_is_pressed(shown, net, dark):
    page = shown(net, dark=dark)
    brightness = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]"
    assert (page.run(brightness) < 128) == dark
    page.click("#theme")
    assert (page.run(brightness) < 128) != dark


def test_each_scheme_has_contrast(shown, net):
    """WCAG 2: 4.5 for text, in both schemes and on every tile."""
    page = shown(net)
    assert page.check("contrast") == []
    page.click("#theme")
    assert page.check("contrast") == []


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_nothing_is_wider_than_the_window(shown, net, width):
    page = shown(net, CURVE, width=width)
    assert page.run("document.documentElement.scrollWidth") <= width
    for check in ("beyond", "cut", "overlapping"):
        assert page.check(check) == []


def test_a_reader_of_the_screen_hears_what_is_drawn(shown, net):
    page = shown(net, CURVE)
    assert page.check("nameless") == []
    levels = page.run(
        "[...document.querySelectorAll('h1, h2, h3')].map((one) => Number(one.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert page.run("[...document.querySelectorAll('button, input')].every((one) =>"
                    " one.textContent.trim() || one.ariaLabel || one.labels?.length)")  # fmt: skip
    assert page.run("[...document.querySelectorAll('#table tbody tr')].every((row) =>"
                    " row.cells[0].scope === 'row')")  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_shown_as_text(shown, net, name):
    tensors = tuple(
        replace(tensor, name=f"{index}{name}") for index, tensor in enumerate(net.tensors)
    )
    page = shown(replace(net, name=name, original=name, tensors=tensors))
    assert (
        page.run("document.querySelectorAll('img, iframe, #layer script, #table script').length")
        == 0
    )
    assert page.run("document.scripts.length") == 2
    assert page.run("document.querySelectorAll('#treemap .tile').length") == 4
    assert page.run("document.querySelector('#layer h3').textContent").isprintable()


def test_thousands_of_tensors_stay_quick(shown, net):
    one = replace(net, tensors=net.tensors[:1])
    page = shown(many(one, 6000, 30))
    assert page.run("performance.getEntriesByType('navigation')[0].loadEventEnd") < 10_000
    assert page.run("document.querySelectorAll('#treemap .tile').length") == 500
    assert page.run("document.querySelectorAll('#table tbody tr').length") <= 201
    page.click("#more")
    assert page.run("document.querySelectorAll('#gallery article').length") == 24
    assert page.run("document.activeElement.tagName") == "ARTICLE"
    page.click("#all")
    rows = page.run("document.querySelectorAll('#table tbody tr').length")
    assert rows >= 1000
