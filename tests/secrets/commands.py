"""Many commands, one after the other, in one process of their own: read from standard input as a list of lists of arguments."""

import json
import sys

from keyrack import cli

for arguments in json.load(sys.stdin):
    sys.argv = ["keyrack", *arguments]
    try:
        cli.main()
    except SystemExit:
        sys.stdout.write("(ended)")
