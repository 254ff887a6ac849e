"""The page of a result in a browser without a screen: what it asks for, what it complains of, how it looks."""

import http.server
import shutil
import subprocess
import threading

import matplotlib.image
import numpy as np
import pytest

import pathfinder
from pathfinder import Model


NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
HOST = "report.test"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason=f"no browser among {', '.join(NAMES)}"),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The text of a page."""
    model = Model.from_log_density(lambda x: -0.5 * (x**2).sum(), np.zeros(2), name="normal")
    result = pathfinder.fit(model, seed=1, num_draws=200, save_trajectory=True, progress=False)
    path = tmp_path_factory.mktemp("page") / "report.html"
    result.report(path)
    return path.read_bytes()


@pytest.fixture
def opened(tmp_path):
    """`opened(page, *options)` shows a page, and returns what it asked for, the console and the pixels."""

    def show(content, *options):
        asked = []

        class Proxy(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                # The browser itself asks for things, too; what a page does names the page.
                if HOST in self.path or HOST in self.headers.get("Referer", ""):
                    asked.append(self.path)
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(content if self.path == f"http://{HOST}/report.html" else b"")

            do_CONNECT = do_GET  # noqa: N815

            def log_message(self, *_):
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            command = [
                BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
                "--disable-component-update", "--no-first-run", f"--user-data-dir={tmp_path / 'profile'}",
                f"--proxy-server=127.0.0.1:{server.server_address[1]}", "--enable-logging=stderr",
                "--virtual-time-budget=3000", "--window-size=1000,3000", f"--screenshot={tmp_path / 'page.png'}",
                *options, f"http://{HOST}/report.html",
            ]  # fmt: skip
            ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
            server.shutdown()
        console = [line for line in ended.stderr.splitlines() if ":CONSOLE" in line]
        return asked, console, matplotlib.image.imread(tmp_path / "page.png")

    return show


def test_it_asks_for_nothing_and_complains_of_nothing(page, opened):
    asked, console, pixels = opened(page)
    assert asked == [f"http://{HOST}/report.html"]
    assert console == []
    assert pixels[2, 2, :3] == pytest.approx([1.0, 1.0, 1.0])
    # Text and pictures are there: columns from end to end of the page, not all of one colour.
    assert np.ptp(pixels[:2000, 100:900], axis=1).max(axis=-1).mean() > 0.3


def test_it_is_dark_where_the_reader_wants_that(page, opened):
    _, console, pixels = opened(page, "--blink-settings=preferredColorScheme=0")
    assert console == []
    assert pixels[2, 2, :3].max() < 0.2


def test_such_things_would_be_seen(opened):
    bad = b"<script>console.error('seen')</script><img src='http://elsewhere.test/a.png'>"
    asked, console, _ = opened(bad)
    assert any("elsewhere.test" in path for path in asked)
    assert any("seen" in line for line in console)
