"""Files as they are published: plain, in gzip, or alone in a ZIP archive."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from purple.domain.errors import ParseError

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"


@contextmanager
def unpacked(packed: BinaryIO) -> Iterator[BinaryIO]:
    """What is in a file, by how it begins; whoever reads it counts what comes out.

    Raises:
        ParseError: it is damaged, or an archive with more than one file.
    """
    begins = packed.read(len(_ZIP))
    packed.seek(0)
    try:
        if begins.startswith(_GZIP):
            with gzip.open(packed) as plain:
                yield cast("BinaryIO", io.BufferedReader(plain))
        elif begins == _ZIP:
            with zipfile.ZipFile(packed) as archive, archive.open(_only(archive)) as inside:
                yield cast("BinaryIO", inside)
        else:
            yield packed
    except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise ParseError(f"the file is damaged: {str(error)[:200]}", offset=0) from error


def _only(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    files = [each for each in archive.infolist() if not each.is_dir()]
    if len(files) != 1:
        raise ParseError(f"the archive holds {len(files)} files, not one", offset=0)
    return files[0]
