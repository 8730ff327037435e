"""Who answers a request: Claude, the offline model, or a recording."""
