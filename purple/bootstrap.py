"""The only file that knows every adapter: settings in, a container of services out."""
