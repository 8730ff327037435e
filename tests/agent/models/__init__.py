"""Specifications of the models."""
