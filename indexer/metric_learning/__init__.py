"""The mathematics of metric learning: losses, mining, batches, figures."""
