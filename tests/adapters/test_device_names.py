"""The contract of `application.ports.environment.DeviceNames`: words an owner recognises, and none of the browser's."""

import re

import pytest

from adapters.device_names import UNKNOWN, ParsedDeviceNames

MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit"
LINUX = "Mozilla/5.0 (X11; Linux x86_64"
ANDROID = "Mozilla/5.0 (Linux; Android 14"
BLINK = "AppleWebKit/537.36 (KHTML, like Gecko)"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {BLINK} Chrome/126.0.0.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
DARWIN = "CFNetwork/1496.0.7 Darwin/23.5.0"

REAL = {
    WINDOWS: "Chrome on Windows",
    f"{WINDOWS} Edg/126.0.0.0": "Edge on Windows",
    f"{WINDOWS} OPR/111.0.0.0": "Opera on Windows",
    "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko": "Internet Explorer on Windows",
    f"{MAC}/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15": "Safari on macOS",
    f"{MAC}/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Vivaldi/6.7": "Vivaldi on macOS",
    f"{LINUX}; rv:127.0) Gecko/20100101 Firefox/127.0": "Firefox on Linux",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36": (
        "Chrome on ChromeOS"
    ),
    f"{IPHONE} Version/17.5 Mobile/15E148 Safari/604.1": "Safari on iOS",
    f"{IPHONE} CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1": "Chrome on iOS",
    f"{IPHONE} FxiOS/127.1 Mobile/15E148 Safari/605.1.15": "Firefox on iOS",
    f"{IPHONE} Mobile/15E148": "an app on iOS",
    f"{ANDROID}; K) {BLINK} Chrome/126.0.0.0 Mobile Safari/537.36": "Chrome on Android",
    f"{ANDROID}; Pixel 8; wv) {BLINK} Version/4.0 Chrome/126.0.6478.50 Mobile Safari/537.36": "an app on Android",
    f"{ANDROID}; SAMSUNG SM-S921B) {BLINK} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36": (
        "Samsung Internet on Android"
    ),
    "Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0": "Firefox on Android",
    "curl/8.5.0": "curl",
    "okhttp/4.12.0": "an app",
    f"MyShop/3.2.1 {DARWIN}": "iOS",
}

HOSTILE = [
    "",
    " ",
    "Firefox",
    "Pay now bot/1.0",
    "Mozilla/5.0 (compatible; Call 0800 123456 now bot/1.0)",
    "Visit-evil-example-now-bot",
    "https://evil.example/login",
    "[click here](https://evil.example)",
    "<script>alert(1)</script>",
    "<a href='https://evil.example'>This was you</a>/1.0",
    "\u202egnihtemos\u2066",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}",
    "Mozilla/5.0 " * 20,
    "(" * 256,
    "a" * 256,
]

TEMPTING = [
    f"Your account is closed call 0800 123456/1.0 {DARWIN}",
    f"evil.example/1.0 {DARWIN}",
    "Call 0800 123456 at once-iPad/1.0",
    "Your bank called/1.0 (iPhone; iOS 17)",
    "Windows evil.example Call/1.0 bot",
    "https://evil.example/ Firefox/1.0",
    f"{LINUX}; rv:127.0) Gecko/20100101 Firefox/127.0 Call-0800-123456",
]
"""Those that the rules read something true from, besides what they want to say."""


@pytest.mark.parametrize(("user_agent", "words"), REAL.items(), ids=REAL.values())
def test_a_browser_of_today_is_named_as_its_owner_would_name_it(user_agent: str, words: str) -> None:
    assert ParsedDeviceNames().describe(user_agent) == words


@pytest.mark.parametrize("user_agent", HOSTILE)
def test_what_is_no_known_browser_on_no_known_system_is_an_unknown_device(user_agent: str) -> None:
    assert ParsedDeviceNames().describe(user_agent) == UNKNOWN


@pytest.mark.parametrize("user_agent", [*HOSTILE, *TEMPTING])
def test_no_word_of_a_sentence_that_somebody_made_their_browser_say_is_repeated(user_agent: str) -> None:
    """It would stand in the letter that warns an owner of them."""
    words = set(re.findall(r"\w+", ParsedDeviceNames().describe(user_agent)))
    assert words <= {"an", "app", "unknown", "device", "on", "Firefox", "iOS", "Linux", "Windows"}
