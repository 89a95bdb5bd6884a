"""One change, in order: `change.py` shows it whole. One file per noun, with its queries."""
