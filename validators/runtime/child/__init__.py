"""The child's side of a check: hardens itself, boots one backend and answers its parent.

Self-contained: it runs under the backend's own interpreter (Python 3.11 or later), imports
nothing but the standard library and relative modules, and leaves no name in the backend's way.
"""
