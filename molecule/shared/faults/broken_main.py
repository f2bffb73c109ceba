"""Takes the place of agentcore/__main__.py in a release whose Python is broken."""

raise RuntimeError("this release is broken on purpose: its Python can't start")
