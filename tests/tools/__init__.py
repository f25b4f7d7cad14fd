"""What the Python tests share: a raw RESP client, server processes, doors and scripts."""
