"""What browsers say they are, in words, by the rules of ua-parser."""

from functools import lru_cache

from domain.sentence import Sentence

UNKNOWN = Sentence("an unknown device")

_BROWSERS = {
    "Android": Sentence("Android browser"),
    "Brave": "Brave",
    "Chrome": "Chrome",
    "Chrome Mobile": "Chrome",
    "Chrome Mobile WebView": Sentence("an app"),
    "Chrome Mobile iOS": "Chrome",
    "Chromium": "Chromium",
    "DuckDuckGo Mobile": "DuckDuckGo",
    "Edge": "Edge",
    "Edge Mobile": "Edge",
    "Firefox": "Firefox",
    "Firefox Focus": "Firefox Focus",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "HeadlessChrome": Sentence("Chrome without a window"),
    "IE": "Internet Explorer",
    "Konqueror": "Konqueror",
    "MiuiBrowser": "Mi Browser",
    "Mobile Safari": "Safari",
    "Mobile Safari UI/WKWebView": Sentence("an app"),
    "Opera": "Opera",
    "Opera Mini": "Opera Mini",
    "Opera Mobile": "Opera",
    "Python Requests": Sentence("a Python program"),
    "Safari": "Safari",
    "Samsung Internet": "Samsung Internet",
    "UC Browser": "UC Browser",
    "Vivaldi": "Vivaldi",
    "Yandex Browser": "Yandex Browser",
    "curl": "curl",
    "okhttp": Sentence("an app"),
}
_SYSTEMS = {
    "Android": "Android",
    "Chrome OS": "ChromeOS",
    "Debian": "Linux",
    "Fedora": "Linux",
    "FreeBSD": "FreeBSD",
    "HarmonyOS": "HarmonyOS",
    "Linux": "Linux",
    "Mac OS X": "macOS",
    "OpenBSD": "OpenBSD",
    "Tizen": "Tizen",
    "Ubuntu": "Ubuntu",
    "Windows": "Windows",
    "Windows Phone": "Windows Phone",
    "iOS": "iOS",
}


class ParsedDeviceNames:
    """`application.ports.environment.DeviceNames`."""

    def describe(self, user_agent: str) -> Sentence:
        return _describe(user_agent)


@lru_cache(maxsize=1024)
def _describe(user_agent: str) -> Sentence:
    # Imported when the first is asked for: its rules take memory, and many processes never need them.
    from ua_parser import parse

    found = parse(user_agent)
    # Only names of ours: some rules repeat what the browser said, and whoever holds a stolen password must not write
    # "call this number" into the letter that warns its owner.
    browser = _BROWSERS.get(found.user_agent.family) if found.user_agent else None
    system = _SYSTEMS.get(found.os.family) if found.os else None
    if browser and system:
        return Sentence("%(browser)s on %(system)s", browser=browser, system=system)
    return Sentence.of(browser or system or UNKNOWN)
