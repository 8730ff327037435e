"""What the commands do: each gathers its parts, runs them, shows the result, returns a code."""
