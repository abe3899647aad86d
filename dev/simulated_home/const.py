"""Names that Home Assistant knows this integration by."""

DOMAIN = "simulated_home"
CONF_SEED = "seed"
CONF_EPOCH_DAY = "epoch_day"
DEFAULT_SEED = 42
