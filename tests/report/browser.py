"""Chromium without a window, driven by its DevTools protocol over two pipes: no other package."""

import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
#: Chromium reads from descriptor 3 and writes to 4.
WITH_PIPES = (
    "import os, sys\n"
    "os.dup2(int(sys.argv[1]), 100); os.dup2(int(sys.argv[2]), 101)\n"
    "os.dup2(100, 3); os.dup2(101, 4)\n"
    "os.execv(sys.argv[3], sys.argv[3:])\n"
)
CHECKS = Path(__file__).with_name("checks.js")
SECONDS = 60
KEYS = {"Tab": 9, "Enter": 13, "ArrowRight": 39, "ArrowLeft": 37, "Home": 36, "End": 35}


def find():
    """The program, or skip."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("Chromium is not installed (Debian: chromium)")
    return path


class Browser:
    """One page; everything that it asks for and complains about is kept."""

    def __init__(self, folder):
        self.requests, self.complaints = [], []
        self.answers, self.number, self.buffer, self.session = {}, 0, b"", None
        theirs_in, self.out = os.pipe()
        self.input, theirs_out = os.pipe()
        command = [sys.executable, "-c", WITH_PIPES, str(theirs_in), str(theirs_out), find()]
        self.process = subprocess.Popen(
            [*command, *FLAGS, f"--user-data-dir={folder}"],
            pass_fds=(theirs_in, theirs_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        """Send a command and wait for its answer."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        answer = self._until(lambda: self.answers.pop(self.number, None))
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def _until(self, found):
        end = time.monotonic() + SECONDS
        while (value := found()) is None:
            left = end - time.monotonic()
            assert left > 0, "Chromium does not answer"
            if select.select([self.input], [], [], left)[0]:
                self._take(os.read(self.input, 1 << 20))
        return value

    def _take(self, data):
        assert data, "Chromium has ended"
        *messages, self.buffer = (self.buffer + data).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self.answers[message["id"]] = message
            else:
                self._event(message["method"], message["params"])

    def _event(self, method, parameters):
        if method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(parameters["exceptionDetails"])
        elif method in ("Runtime.consoleAPICalled", "Log.entryAdded"):
            self.complaints.append(parameters)
        elif method == "Page.loadEventFired":
            self.loaded = True

    def open(self, path, width=1200, height=900, dark=False):
        """Load a file in a window of this size."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.loaded = None
        self.call("Page.navigate", url=path.as_uri())
        self._until(lambda: self.loaded)

    def run(self, code):
        """The value of an expression of the page."""
        answer = self.call("Runtime.evaluate", expression=code, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def check(self, name):
        """What a function of checks.js finds wrong."""
        return self.run(f"(() => {{ {CHECKS.read_text('utf-8')}; return checks.{name}(); }})()")

    def press(self, key):
        """A key, as a person presses it."""
        code = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        text = {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **code, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **code)

    def click(self, selector):
        """The middle of what the selector finds first."""
        place = self.run(
            f"(() => {{ const one = document.querySelector({json.dumps(selector)});"
            "one.scrollIntoView({ block: 'center' }); const box = one.getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call(
                "Input.dispatchMouseEvent",
                type=kind, x=place[0], y=place[1], button="left", clickCount=1,
            )  # fmt: skip

    def close(self):
        """End it."""
        os.close(self.out)
        os.close(self.input)
        self.process.terminate()
        self.process.wait(SECONDS)
