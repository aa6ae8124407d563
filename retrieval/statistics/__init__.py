"""Take thresholds, likelihood ratios and figures with intervals from distances."""
