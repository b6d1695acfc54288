"""How requests come in: the listening socket, the door, the connections, and the processes behind them."""
