"""What every metric is, one entry each; `metric_registry.py` puts them in the order of the columns."""
