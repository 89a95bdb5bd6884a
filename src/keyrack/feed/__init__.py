"""Never stale, yet local: what this process may believe about credentials, and for how long."""
