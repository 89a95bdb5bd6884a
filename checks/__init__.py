"""House rules that no linter knows. `python -m checks` prints each place that breaks one, as file:line message."""
