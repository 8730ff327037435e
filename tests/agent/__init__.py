"""Specifications of the agent."""
