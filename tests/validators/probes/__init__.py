"""Tests of validators/probes."""
