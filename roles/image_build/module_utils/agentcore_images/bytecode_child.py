"""Run by an image's own Python: compile the files named on standard input, below a folder.

One process, one fixed order, a fixed hash seed: the same bytes each time. It runs under any
Python 3.9 or newer and needs the standard library alone.
"""

import py_compile
import sys


def main() -> None:
    """Compile each path; name on standard error those that this Python does not understand."""
    stage = sys.argv[1]
    for path in sys.stdin.read().splitlines():
        try:
            py_compile.compile(
                f"{stage}/{path}",
                dfile=f"/{path}",
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
        except (py_compile.PyCompileError, ValueError, SyntaxError) as error:
            print(f"{path}: {error}", file=sys.stderr)


main()
