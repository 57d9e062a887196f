"""The MkDocs plugin: a registry's site as part of any MkDocs project.

    plugins:
      - regista:
          registry: registry_data      # else as for the command line
          path: registry               # where its pages lie in the site

What `[site]` in `regista.toml` says may also stand here. The pages are built once, by the same
code as `regista site build`, before MkDocs looks at links, so prose may link to any of them.
"""

import tempfile
from pathlib import Path
from typing import Any

from mkdocs.config import base
from mkdocs.config import config_options as options
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import BasePlugin
from mkdocs.structure.files import File, Files, InclusionLevel

from regista.errors import RegistaError
from regista.site.building import build
from regista.site.options import SiteOptions, options_of, read_options
from regista.site.output.sinks import FolderSink
from regista.site.pages.navigation import BarItem, bar_of
from regista.site.planning import Plan, plan
from regista.site.templates import shipped_templates

_CONFIGURED = ("title", "rollback_url", "templates", "publish")
# of our theme, what only pages of a registry need
_FOR_REGISTRY = ("js/", "vendor/", "guide/", "css/sql.css", "css/charts.css", "css/registry.css")


class RegistaConfig(base.Config):  # type: ignore[no-untyped-call]
    """The plugin's settings in `mkdocs.yml`."""

    registry = options.Type(str, default="")
    path = options.Type(str, default="registry")
    # a commit's number is a number in YAML
    as_of = options.Optional(options.Type[int | str]((int, str)))
    title = options.Optional(options.Type(str))
    rollback_url = options.Optional(options.Type(str))
    templates = options.Optional(options.Type(str))
    publish = options.Optional(options.ListOfItems(options.Type(str)))


class RegistaPlugin(BasePlugin[RegistaConfig]):  # type: ignore[no-untyped-call]
    """Builds the pages of a registry into a folder that MkDocs takes its files from."""

    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Find the registry, and tell our theme which sections there are.

        Raises:
            PluginError: there is no registry, or a setting is malformed.
        """
        folder = Path(config.config_file_path or ".").parent
        prefix = self._prefix()
        try:
            self._plan = self._planned(config, folder)
        except RegistaError as error:
            raise _plugin_error(error) from error
        docs = BarItem("Docs", "index.html")
        bar = bar_of(self._plan.options, ())
        config.extra["regista_bar"] = [
            *({"title": item.title, "path": prefix + item.path} for item in bar),
            docs._asdict(),
        ]
        config.extra["regista_here"] = docs.path
        return config

    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """Build the pages and hand them to MkDocs.

        Raises:
            PluginError: the registry is damaged, or a file of the prose has a path of ours.
        """
        self._folder = tempfile.TemporaryDirectory(prefix="regista-mkdocs-")
        sink = FolderSink(Path(self._folder.name))
        try:
            build(self._plan, sink)
        except RegistaError as error:
            raise _plugin_error(error) from error
        # by where they will lie: `registry/index.md` becomes a page of the same name as ours
        taken = {file.dest_uri for file in files if str(file.src_dir) != str(shipped_templates())}
        for path in sink.paths:
            name = self._prefix() + path
            if name in taken:
                raise PluginError(f"regista: {name} is there already; choose another path")
            files.append(
                File.generated(
                    config,
                    name,
                    abs_src_path=str(Path(self._folder.name) / path),
                    inclusion=InclusionLevel.NOT_IN_NAV,
                )
            )
        _drop_theme_files(files)
        return files

    def on_post_build(self, *, config: MkDocsConfig) -> None:  # noqa: ARG002 - MkDocs' signature
        """Remove the folder that MkDocs has copied."""
        self._folder.cleanup()

    def on_build_error(self, *, error: Exception) -> None:  # noqa: ARG002 - MkDocs' signature
        """Remove the folder also when the build failed."""
        folder: Any = getattr(self, "_folder", None)
        if folder is not None:
            folder.cleanup()

    def on_serve(self, server: Any, *, config: MkDocsConfig, builder: Any) -> Any:  # noqa: ANN401, ARG002
        """Rebuild when the log grows."""
        uri = self._plan.reads.replica.store.uri
        if "://" not in uri:
            server.watch(str(Path(uri) / "log"))
        return server

    def _prefix(self) -> str:
        path = self.config.path.strip("/")
        return f"{path}/" if path else ""

    def _planned(self, config: MkDocsConfig, folder: Path) -> Plan:
        import os

        from regista.read.opening import open_replica
        from regista.registry.locating import find_config, locate
        from regista.registry.reads import Reads

        given = self.config.registry
        if given and "://" not in given:
            given = str(folder / given)
        uri = locate(given, os.environ, folder)
        chosen = self._options(config, folder, read_options(find_config(folder)))
        up = "../" * self._prefix().count("/")
        return plan(
            Reads(open_replica(uri)),
            chosen,
            as_of=self.config.as_of,
            docs=[BarItem("Docs", f"{up}index.html")],
        )

    def _options(self, config: MkDocsConfig, folder: Path, read: SiteOptions) -> SiteOptions:
        from dataclasses import replace

        given = {name: self.config[name] for name in _CONFIGURED if self.config[name] is not None}
        made = options_of(given, folder, "plugins.regista")
        chosen = replace(read, **{name: getattr(made, name) for name in given})
        if "title" not in given and read.title == SiteOptions().title:
            chosen = replace(chosen, title=config.site_name)
        if config.site_url:
            url = f"{config.site_url.rstrip('/')}/{self._prefix()}"
            chosen = chosen.with_base_url(url)
        return chosen


def _drop_theme_files(files: Files) -> None:
    """Leave out of the prose's folder what our theme has for pages of a registry."""
    ours = str(shipped_templates())
    for file in list(files):
        if file.src_uri.startswith(_FOR_REGISTRY) and str(file.src_dir) == ours:
            files.remove(file)


def _plugin_error(error: RegistaError) -> PluginError:
    hint = f" (hint: {error.hint})" if error.hint else ""
    return PluginError(f"regista: {error.message}{hint}")
