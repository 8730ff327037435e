"""What the users of the probes enter about themselves."""

PASSWORD = "Str0ng-pass-w0rd!"  # noqa: S105 - of users who live for a few seconds
