"""Due jobs: what happens beside the calls."""
