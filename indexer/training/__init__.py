"""Train a Siamese encoder and write its folder."""
