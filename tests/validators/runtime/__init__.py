"""Tests of validators/runtime."""
