"""Fetching over HTTP: the only place that knows the network.

`download` brings one file whose sha256 is known, resumably and in parallel segments; `fetch`
brings one small document. Both take `file://` too, without importing what follows.

- One exchange: `client` (a GET, redirects, what an error means) sends its request over what
  `opening` opens (with `trust`, `proxies`, `login`, `inner_tls`) and has `answer` read the reply.
- One file: `swarm` fills a `part` from a URL by workers that `spans` share out; `spread` and
  `trial` decide how many there are; `files` opens the partial file.
- Rules without I/O: `address`, `settings`, `exchange` (the errors), `local` (`file://`).
"""
