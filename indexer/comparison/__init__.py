"""Training the comparison place by place: pairs, nuisances and alterations, the network, its loss."""
