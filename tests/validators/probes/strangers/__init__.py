"""Models and routes as strangers declare them: data for the tests of request values."""
