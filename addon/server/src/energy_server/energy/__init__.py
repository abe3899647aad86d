"""From Statistics to energy: local periods, who fed whom, the answer for any interval. Pure."""
