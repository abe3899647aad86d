"""The values of the domain: pure, without I/O. One word per concept, see ARCHITECTURE.md."""
