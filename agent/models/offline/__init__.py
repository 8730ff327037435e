"""The embedded default: a deterministic compiler from plain-language requests to replies."""
