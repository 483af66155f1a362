"""Work for many processes, on this machine or a cluster, by Ray: what they do, and who keeps them at it."""
