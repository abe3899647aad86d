"""What the server does by itself, from time to time."""
