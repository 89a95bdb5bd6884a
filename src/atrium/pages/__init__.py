"""What signed-in members see in a browser, one file per noun."""
