"""Measurements that anyone can repeat. Ratios within one run count; absolute times depend on the machine."""
