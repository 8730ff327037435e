"""Mutants of sound backends: every one that changes isolation must be reported."""
