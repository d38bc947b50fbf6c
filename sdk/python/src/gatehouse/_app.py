"""The one app of a process, which the decorators of the package fill."""

from ._server import Server

server = Server()
