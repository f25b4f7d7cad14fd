"""The client side of the protocol, for the command line tools.

    resp.py         bytes <-> replies, RESP2 and RESP3; no sockets
    address.py      where a server is and who we are to it; URLs
    connection.py   one connection: TCP, Unix socket, TLS

It keeps what a general client library throws away: whether a text was a status or a bulk, an array
a set, a map or a push.
"""
