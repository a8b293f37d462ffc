"""What scripts/smoke.py looks at, from outside: Python 3.9 or newer and nothing else."""
