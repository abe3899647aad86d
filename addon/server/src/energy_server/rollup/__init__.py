"""From readings to Statistics: the Levels, how readings accumulate, the worker that keeps them current."""
