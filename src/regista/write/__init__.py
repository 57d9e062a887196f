"""The write side: plan, put if absent, plan again; then what follows a commit."""
