"""The app's image and compose.yaml, built and run for tests by whatever engine the machine has."""
