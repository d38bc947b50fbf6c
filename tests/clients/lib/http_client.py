"""The HTTP client that is installed beside the SDK: httpx2, or httpx with version 1."""

try:
    import httpx2 as httpx
except ImportError:
    import httpx

__all__ = ["httpx"]
