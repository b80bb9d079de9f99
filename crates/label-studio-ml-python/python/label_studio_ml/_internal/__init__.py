"""What is no module of the Python original: nothing here is for models to import."""
