"""Runs inside the faulty extension: the real module whole, but one function answers wrongly."""

import importlib.machinery
import importlib.util
import os

_file = os.memfd_create("agent_core_utils")
os.write(_file, real_bytes)  # noqa: F821 - the extension gives us the name
_loader = importlib.machinery.ExtensionFileLoader("agent_core_utils", f"/proc/self/fd/{_file}")
_real = importlib.util.module_from_spec(
    importlib.util.spec_from_loader("agent_core_utils", _loader)
)
_loader.exec_module(_real)
globals().update({name: getattr(_real, name) for name in dir(_real) if name != "__name__"})
os.close(_file)
del real_bytes  # noqa: F821


class Text:
    """Answers in the right shape, with the letters of every normalized text in the wrong order."""

    def __init__(self, *arguments):
        self._real = _real.Text(*arguments)

    def __getattr__(self, name):
        return getattr(self._real, name)

    def normalize_many(self, *arguments, **options):
        return [text[::-1] for text in self._real.normalize_many(*arguments, **options)]
