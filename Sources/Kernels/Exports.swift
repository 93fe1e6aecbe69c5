// Vectors, padding and elementary functions belong to what the users of kernels see.
@_exported import Tiles
