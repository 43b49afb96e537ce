"""The tables of the memory, and its encoder, which is imported by name."""

from PyInstaller.utils.hooks import collect_data_files

datas = collect_data_files("cognitive_memory")
hiddenimports = ["cognitive_memory.encoding.encoder", "cognitive_memory.encoding.provider"]
