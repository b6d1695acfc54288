"""Installed distributions, as somebody else's would be: their metadata, their entry points and a module."""

import sys
from pathlib import Path

import pytest


class Installation:
    """A folder on the path into which distributions are installed; gone with the test."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._monkeypatch = monkeypatch
        monkeypatch.syspath_prepend(folder)

    def module(self, source: str, name: str = "doorkeeping") -> None:
        """A module of that name."""
        (self._folder / f"{name}.py").write_text(source)
        self._monkeypatch.delitem(sys.modules, name, raising=False)

    def distribution(self, name: str, group: str, **registered: str) -> None:
        """One that registers these names in a group."""
        metadata = self._folder / f"{name.replace('-', '_')}-1.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        lines = [f"{entry} = {place}" for entry, place in registered.items()]
        (metadata / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines, ""]))
