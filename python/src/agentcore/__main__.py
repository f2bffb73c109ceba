"""``python3 -m agentcore``: the entry point of the images."""

from __future__ import annotations

import sys

from agentcore.cli import main

sys.exit(main())
