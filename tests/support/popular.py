"""PyPI's most used packages with compiled parts, and one real thing that each does.

A program for each, which fails where what it made isn't right. None needs a network. torch isn't
among them: PyPI has no build of it without CUDA's libraries, which are several GB.
"""

from __future__ import annotations

from textwrap import dedent

_PROGRAMS = """
numpy
    import numpy as np
    a = np.random.default_rng(1).random((40, 40))
    assert np.allclose(np.linalg.inv(a) @ a, np.eye(40))
pandas
    import pandas as pd
    frame = pd.DataFrame({"k": list("aab"), "v": [1, 2, 3]})
    assert frame.groupby("k").v.sum().to_dict() == {"a": 3, "b": 3}
pyarrow
    import io, pyarrow as pa, pyarrow.parquet as pq
    file = io.BytesIO()
    pq.write_table(pa.table({"x": [1, 2, 3]}), file, compression="zstd")
    assert pq.read_table(io.BytesIO(file.getvalue())).column("x").to_pylist() == [1, 2, 3]
scipy
    from scipy.optimize import brentq
    from scipy.sparse.linalg import spsolve
    from scipy.sparse import eye
    assert abs(brentq(lambda x: x * x - 2, 0, 2) - 2 ** 0.5) < 1e-9
    assert spsolve(eye(3, format="csc") * 2, [2, 4, 6]).tolist() == [1, 2, 3]
scikit-learn
    from sklearn.datasets import load_iris
    from sklearn.ensemble import RandomForestClassifier
    x, y = load_iris(return_X_y=True)
    assert RandomForestClassifier(10, n_jobs=2, random_state=1).fit(x, y).score(x, y) > 0.9
matplotlib
    import io, matplotlib
    matplotlib.use("agg")
    from matplotlib import pyplot
    pyplot.plot([1, 2]); pyplot.title("plâce"); file = io.BytesIO(); pyplot.savefig(file)
    assert file.getvalue().startswith(bytes([0x89]) + b"PNG")
contourpy
    import contourpy, numpy as np
    assert contourpy.contour_generator(z=np.eye(3)).lines(0.5)
kiwisolver
    from kiwisolver import Solver, Variable
    x = Variable("x"); s = Solver(); s.addConstraint(x >= 3); s.updateVariables()
    assert x.value() == 3
fonttools
    from fontTools.misc.bezierTools import calcCubicBounds
    assert calcCubicBounds((0, 0), (25, 100), (75, 100), (100, 0)) == (0, 0, 100, 75.0)
pillow
    import io
    from PIL import Image
    file = io.BytesIO(); Image.new("RGB", (9, 9), "red").save(file, "JPEG")
    assert Image.open(file).convert("L").getpixel((4, 4)) in range(70, 82)
lxml
    from lxml import etree
    xsl = etree.XSLT(etree.XML('<xsl:stylesheet version="1.0" '
        'xmlns:xsl="http://www.w3.org/1999/XSL/Transform">'
        '<xsl:template match="/"><b><xsl:value-of select="a"/></b></xsl:template>'
        '</xsl:stylesheet>'))
    assert "<b>x</b>" in str(xsl(etree.XML("<a>x</a>")))
cryptography
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.asymmetric import ed25519
    f = Fernet(Fernet.generate_key())
    assert f.decrypt(f.encrypt(b"x")) == b"x"
    k = ed25519.Ed25519PrivateKey.generate(); k.public_key().verify(k.sign(b"x"), b"x")
psycopg[binary]
    import psycopg
    assert psycopg.pq.__impl__ == "binary" and psycopg.pq.version() > 120000
    try:
        psycopg.connect("host=127.0.0.1 port=1 connect_timeout=5")
    except psycopg.OperationalError as error:
        assert "refused" in str(error)
grpcio
    import grpc, concurrent.futures
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    h = grpc.unary_unary_rpc_method_handler(lambda request, context: request * 2)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("s", {"m": h}),))
    port = server.add_insecure_port("127.0.0.1:0"); server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        assert channel.unary_unary("/s/m")(b"ab", timeout=60) == b"abab"
    server.stop(None)
protobuf
    from google.protobuf import struct_pb2
    s = struct_pb2.Struct(); s.update({"a": 1})
    t = struct_pb2.Struct(); t.ParseFromString(s.SerializeToString())
    assert t["a"] == 1
pydantic
    import pydantic
    class M(pydantic.BaseModel):
        x: int
    assert M.model_validate_json('{"x": "3"}').x == 3
orjson
    import orjson
    assert orjson.loads(orjson.dumps({"a": [1, None]})) == {"a": [1, None]}
ujson
    import ujson
    assert ujson.loads(ujson.dumps([1.5])) == [1.5]
msgpack
    import msgpack
    assert msgpack.Packer.__module__.startswith("msgpack._cmsgpack")
    assert msgpack.unpackb(msgpack.packb({"a": b"b"})) == {"a": b"b"}
regex
    import regex
    assert regex.findall(r"\\p{Lu}", "aÄb") == ["Ä"]
PyYAML
    import yaml
    assert yaml.load("a: [1]", Loader=yaml.CSafeLoader) == {"a": [1]}
cffi
    import cffi
    ffi = cffi.FFI(); ffi.cdef("int abs(int);")
    assert ffi.dlopen(None).abs(-3) == 3
greenlet
    import greenlet
    g = greenlet.greenlet(lambda: greenlet.getcurrent().parent.switch(5))
    assert g.switch() == 5
gevent
    import gevent
    assert [j.value for j in gevent.joinall([gevent.spawn(lambda: 1)], timeout=60)] == [1]
SQLAlchemy
    import sqlalchemy as sa
    with sa.create_engine("sqlite://").connect() as c:
        assert c.execute(sa.text("select 1 + 1")).scalar() == 2
    assert sa.util.has_compiled_ext()
aiohttp
    import asyncio
    from aiohttp import ClientSession, web
    async def go():
        async def handle(request):
            return web.Response(text="hello")
        app = web.Application(); app.router.add_get("/", handle)
        runner = web.AppRunner(app); await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        async with ClientSession() as s, s.get(f"http://127.0.0.1:{port}/") as r:
            assert await r.text() == "hello"
        await runner.cleanup()
    asyncio.run(go())
yarl
    from yarl import URL
    assert str(URL("http://h/ü") / "a b") == "http://h/%C3%BC/a%20b"
multidict
    from multidict import CIMultiDict
    assert CIMultiDict(a=1)["A"] == 1
frozenlist
    from frozenlist import FrozenList
    f = FrozenList([1]); f.freeze()
    assert f.frozen
propcache
    from propcache.api import cached_property
    class C:
        x = cached_property(lambda self: 4)
    assert C().x == 4
uvloop
    import uvloop
    async def go():
        return 1
    assert uvloop.run(go()) == 1
httptools
    import httptools
    assert httptools.parse_url(b"http://h:8/p").port == 8
websockets
    import asyncio, websockets.speedups
    from websockets.asyncio import client, server
    async def echo(ws):
        await ws.send(await ws.recv())
    async def go():
        async with server.serve(echo, "127.0.0.1", 0) as s:
            port = s.sockets[0].getsockname()[1]
            async with client.connect(f"ws://127.0.0.1:{port}", proxy=None) as c:
                await c.send("x")
                assert await c.recv() == "x"
    asyncio.run(go())
zstandard
    import zstandard
    assert zstandard.decompress(zstandard.compress(b"x" * 999)) == b"x" * 999
lz4
    import lz4.frame
    assert lz4.frame.decompress(lz4.frame.compress(b"x")) == b"x"
brotli
    import brotli
    assert brotli.decompress(brotli.compress(b"x")) == b"x"
cramjam
    import cramjam
    assert bytes(cramjam.snappy.decompress(cramjam.snappy.compress(b"x"))) == b"x"
tornado
    import tornado.speedups, tornado.util
    assert tornado.util._websocket_mask(b"abcd", b"x") != b"x"
psutil
    import os, psutil
    assert psutil.Process().pid == os.getpid() and psutil.virtual_memory().total > 0
pyzmq
    import zmq
    c = zmq.Context(); a = c.socket(zmq.PAIR); b = c.socket(zmq.PAIR)
    b.connect(f"tcp://127.0.0.1:{a.bind_to_random_port('tcp://127.0.0.1')}")
    a.send(b"x"); assert b.poll(60000) and b.recv() == b"x"
    c.destroy(0)
bcrypt
    import bcrypt
    assert bcrypt.checkpw(b"x", bcrypt.hashpw(b"x", bcrypt.gensalt(4)))
pynacl
    import nacl.secret, nacl.utils
    box = nacl.secret.SecretBox(nacl.utils.random(32))
    assert box.decrypt(box.encrypt(b"x")) == b"x"
tokenizers
    from tokenizers import Tokenizer, models, pre_tokenizers
    t = Tokenizer(models.WordLevel({"a": 0, "b": 1, "u": 2}, unk_token="u"))
    t.pre_tokenizer = pre_tokenizers.Whitespace()
    assert t.encode("b a c").ids == [1, 0, 2]
safetensors
    import numpy as np
    from safetensors.numpy import load, save
    assert load(save({"a": np.arange(3)}))["a"].tolist() == [0, 1, 2]
sentencepiece
    import io, sentencepiece as sp
    model = io.BytesIO()
    sp.SentencePieceTrainer.train(sentence_iterator=iter(["hello world"] * 50), model_writer=model,
        vocab_size=20, minloglevel=2, hard_vocab_limit=False)
    p = sp.SentencePieceProcessor(model_proto=model.getvalue())
    assert p.decode(p.encode("hello")) == "hello"
shapely
    from shapely import Point
    assert 3.1 < Point(0, 0).buffer(1).area < 3.15
pyproj
    from pyproj import Transformer
    x, y = Transformer.from_crs(4326, 3857).transform(0, 180)
    assert abs(x - 20037508.34) < 1
h5py
    import h5py
    with h5py.File("x", "w", driver="core", backing_store=False) as f:
        f.create_dataset("a", data=[1, 2], compression="gzip", chunks=True)
        assert f["a"][1] == 2
numba
    import numba
    @numba.njit(parallel=True)
    def total(n):
        s = 0
        for i in numba.prange(n):
            s += i
        return s
    assert total(100) == 4950
polars
    import polars as pl
    f = pl.DataFrame({"k": ["a", "a"], "v": [1, 2]}).lazy().group_by("k").agg(pl.col("v").sum())
    assert f.collect()["v"].to_list() == [3]
duckdb
    import duckdb
    assert duckdb.sql("select sum(range) from range(5)").fetchall() == [(10,)]
opencv-python-headless
    import cv2, numpy as np
    ok, data = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))
    assert ok and cv2.imdecode(data, 1).shape == (8, 8, 3)
rpds-py
    from rpds import HashTrieMap
    assert HashTrieMap({"a": 1}).insert("b", 2)["b"] == 2
markupsafe
    import markupsafe, markupsafe._speedups
    assert markupsafe.escape("<") == "&lt;"
coverage
    import coverage, coverage.tracer
    c = coverage.Coverage(data_file=None); c.start(); import this; c.stop()
    assert c.get_data().measured_files() is not None
wrapt
    import wrapt, wrapt._wrappers
    assert wrapt.ObjectProxy([1]) == [1]
xxhash
    import xxhash
    assert xxhash.xxh64(b"").hexdigest() == "ef46db3751d8e999"
setproctitle
    import setproctitle
    setproctitle.setproctitle("bubble"); assert setproctitle.getproctitle() == "bubble"
spacy
    import spacy
    assert [t.text for t in spacy.blank("en")("It's here.")] == ["It", "'s", "here", "."]
tree-sitter
    from tree_sitter import Query, Parser
    assert Parser()
tzdata
    import zoneinfo
    zoneinfo.reset_tzpath(to=())
    assert str(zoneinfo.ZoneInfo("Europe/Paris")) == "Europe/Paris"
certifi
    import certifi, ssl
    assert ssl.create_default_context(cafile=certifi.where()).cert_store_stats()["x509_ca"] > 50
"""

# commands: a program of Python's, programs that are none, and what is compiled by mypyc
COMMANDS = {
    "ruff": ("ruff", "--version"),
    "mypy": ("mypy", "--version"),
    "black": ("black", "-c", "x = 1"),
    "ninja": ("ninja", "--version"),
    "cmake": ("cmake", "--version"),
    "Cython": ("cython", "--version"),
    "jupyter-core": ("jupyter", "--paths"),
    "ipykernel": ("jupyter", "kernelspec", "list"),
    "coverage": ("coverage", "--version"),
    "fonttools": ("fonttools", "ttx", "--version"),
    "numpy": ("f2py", "-v"),
}


def programs() -> dict[str, str]:
    """Return a program for each requirement."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in _PROGRAMS.strip().splitlines():
        if not line.startswith(" "):
            name = line
            found[name] = []
        else:
            found[name].append(line)
    return {name: dedent("\n".join(lines)) for name, lines in found.items()}
