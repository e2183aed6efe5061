"""Getting interpreters: downloads, archives, mirrors, and the cache between."""
