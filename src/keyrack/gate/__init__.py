"""One API request, in order: `walk.py` shows it whole."""
