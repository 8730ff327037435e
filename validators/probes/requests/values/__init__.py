"""Values for the schemas of a document, by kind: numbers, texts, moments, and their order."""
