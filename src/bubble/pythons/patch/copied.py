"""A copied interpreter that finds its library: text in and out.

The interpreter of a relocatable build looks for libpython in `../lib`, beside itself. What `venv`
copies (`--copies`, and `venv.create()` without being asked) looked there in vain, or got the
distribution's of the same minor version in silence.
"""

from __future__ import annotations

_COPIED = """\
            copier(context.executable, path)
            if not os.path.islink(path):
                os.chmod(path, 0o755)
"""
_WITH_LIBRARY = f"""{_COPIED}\
                self._bubble_copy_library(context)
"""
_METHOD = "    def create_configuration(self, context):\n"
_COPYING = '''\
    def _bubble_copy_library(self, context):
        """Copy libpython, for which a copied interpreter looks beside itself."""
        name = sysconfig.get_config_var('INSTSONAME') or ''
        source = os.path.join(os.path.dirname(context.python_dir), 'lib', name)
        if name.startswith('libpython') and not name.endswith('.a') and os.path.isfile(source):
            shutil.copyfile(source, os.path.join(context.env_dir, 'lib', name))

'''


def patch_venv(text: str) -> str:
    """Return `venv/__init__.py`; unchanged if it isn't as CPython has it, or is patched already."""
    if text.count(_COPIED) != 1 or text.count(_METHOD) != 1 or _WITH_LIBRARY in text:
        return text
    text = text.replace(_COPIED, _WITH_LIBRARY)
    return text.replace(_METHOD, _COPYING + _METHOD)
