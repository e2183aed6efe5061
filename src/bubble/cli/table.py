"""Every command: its words, the module that holds it, and what it does in one line.

Static, so that a call imports the chosen command and no other.
"""

from __future__ import annotations

# words → (module below bubble.cli.commands, summary)
COMMANDS: dict[str, tuple[str, str]] = {
    "python install": ("python_install", "install Pythons, or those that this directory asks for"),
    "python list": ("python_list", "show what is installed, available and outdated"),
    "python find": ("python_find", "print the path of an installed Python"),
    "python uninstall": ("python_uninstall", "remove installed Pythons"),
    "python upgrade": ("python_upgrade", "install the newest patch release of each minor"),
    "python verify": ("python_verify", "check installed Pythons for damage, and repair it"),
    "python adopt": ("python_adopt", "make an interpreter known that something else installed"),
    "python update": ("python_update", "fetch a newer catalogue of builds"),
    "python dir": ("python_dir", "print the directory of the installed Pythons"),
    "new": ("new", "begin a project: a first manifest, from what lies in the directory"),
    "lock": ("lock", "write down exactly what this project's environments consist of"),
    "sync": ("sync", "make this project's environments what their locks say"),
    "status": ("status", "how this project's environments do beside their locks"),
    "rollback": ("rollback", "bring the environment before the last sync back"),
    "create": ("create", "make an environment: this project's .venv, or a named one"),
    "remove": ("remove", "throw environments away"),
    "run": ("run", "run a command in an environment"),
    "use": ("use", "choose the Python of this directory, or everywhere"),
    "local": ("local", "the same as use"),
    "global": ("global_", "the same as use --global"),
    "current": ("current", "which Python is selected here, and what says so"),
    "which": ("which", "the file that a command runs here"),
    "whence": ("whence", "every Python and environment that has a command"),
    "exec": ("exec_", "run a command with the selected Python, or another one"),
    "explain": ("explain", "every source that could have decided, and which one did"),
    "rehash": ("rehash", "make the shims follow what is installed (commands do it by themselves)"),
    "list": ("list_", "every environment on this machine, and how it does"),
    "info": ("info", "everything about one environment"),
    "clone": ("clone", "make another environment like one that there is"),
    "rename": ("rename", "give a named environment another name"),
    "repair": ("repair", "mend an environment: moved, copied, or without its interpreter"),
    "adopt": ("adopt", "make an environment known that another tool made"),
    "import": ("import_", "take over a file of another tool, or what pyenv has"),
    "export": ("export", "what is installed in an environment, as requirements"),
    "pack": ("pack", "an environment with its Python as one archive, which runs anywhere"),
    "unpack": ("unpack", "unpack such an archive"),
    "doctor": ("doctor", "find what is wrong on this machine, and mend it"),
    "gc": ("gc", "throw away what nobody needs any more"),
    "cache dir": ("cache_dir", "print the directory of the downloads"),
    "cache size": ("cache_size", "show how much space the downloads take"),
    "cache prune": ("cache_prune", "empty the download cache"),
    "kernel install": ("kernel_install", "register an environment as a Jupyter kernel"),
    "kernel list": ("kernel_list", "list the Jupyter kernels of environments"),
    "kernel remove": ("kernel_remove", "remove Jupyter kernels of environments"),
    "shell": ("shell", "choose the Python of this shell, as long as it lasts"),
    "activate": ("activate", "make an environment this shell's own"),
    "deactivate": ("deactivate", "take that back"),
    "init": ("init", "set up the shell: shims, functions, completions, the hook at cd"),
    "completions": ("completions", "print the completions of a shell"),
    "self info": ("self_info", "by which way bubble came here, and which version runs"),
    "self update": ("self_update", "bring a newer bubble, or go back to the one before"),
    "self uninstall": ("self_uninstall", "take bubble off this machine again"),
    "config list": ("config_list", "every setting, its value, and what says so"),
    "config get": ("config_get", "print the value of one setting"),
    "config set": ("config_set", "write a setting into the configuration file"),
    "config unset": ("config_unset", "take a setting out of the configuration file"),
    "config path": ("config_path", "print where the configuration file is"),
    "mirror create": ("mirror_create", "make a directory of builds for other machines"),
    "mirror pack": ("mirror_pack", "make a build of an interpreter on this machine"),
    "bundle create": ("bundle_create", "put it all into one file for machines without a network"),
    "bundle install": ("bundle_install", "install from such a file"),
    "bundle show": ("bundle_show", "what is in such a file, and whether it is whole"),
}

# what is said shorter: pyenv's words, `install` and `uninstall` for Pythons only
ALIASES: dict[str, tuple[str, ...]] = {
    "install": ("python", "install"),
    "uninstall": ("python", "uninstall"),
    "versions": ("python", "list", "--installed"),
    "config": ("config", "list"),
}

GROUPS: dict[str, str] = {
    "python": "install and look after interpreters",
    "cache": "look after downloads",
    "kernel": "register environments with Jupyter",
    "mirror": "publish builds to other machines",
    "bundle": "take bubble, Pythons and a project to machines without a network",
    "self": "look after bubble itself",
    "config": "look after the user's settings",
}


def commands_of(group: str) -> dict[str, str]:
    """Return the commands of a group, by their last word, with their summaries."""
    prefix = f"{group} "
    return {
        words.removeprefix(prefix): summary
        for words, (_, summary) in COMMANDS.items()
        if words.startswith(prefix)
    }
