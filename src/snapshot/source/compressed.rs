//! Reads what is compressed.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::Compression;

/// Bytes that are read at once.
const BUFFER: usize = 1 << 18;

/// The window that `zstd` itself unpacks without being asked to.
const WINDOW: u64 = 128 << 20;

/// The content of what is compressed in this way. An error of it says that the data is damaged or cut off.
pub(super) fn unpacked(from: impl Read + 'static, compression: Compression) -> Box<dyn Read> {
    let from = BufReader::with_capacity(BUFFER, from);
    let inner: Box<dyn Read> = match compression {
        Compression::Gzip => Box::new(MultiGzDecoder::new(from)),
        Compression::Zstd => Box::new(Frames { from, decoder: FrameDecoder::new(), in_frame: false }),
    };
    Box::new(Explained { inner, name: compression.name() })
}

/// Says of an error what was being read.
struct Explained<R> {
    inner: R,
    name: &'static str,
}

impl<R: Read> Read for Explained<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.inner.read(into).map_err(|error| {
            let what = match error.kind() {
                io::ErrorKind::Interrupted => return error,
                io::ErrorKind::UnexpectedEof => format!("what {} compressed is cut off", self.name),
                _ => format!("what {} compressed is damaged: {error}", self.name),
            };
            io::Error::new(io::ErrorKind::InvalidData, what)
        })
    }
}

/// Zstandard frames one behind another; `zstd` unpacks them as one.
struct Frames<R> {
    from: R,
    decoder: FrameDecoder,
    in_frame: bool,
}

impl<R: BufRead> Frames<R> {
    /// Begins the next frame; false where there is none. A skippable one is skipped.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.from.fill_buf()?.is_empty() {
            self.decoder.set_max_window_size(WINDOW);
            match self.decoder.reset(&mut self.from) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let skipped = io::copy(&mut self.from.by_ref().take(length.into()), &mut io::sink())?;
                    if skipped < length.into() {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(self.explained(error)),
            }
        }
        Ok(false)
    }

    /// The error, or that the data ends.
    fn explained(&mut self, error: FrameDecoderError) -> io::Error {
        match (error, self.from.fill_buf()) {
            (FrameDecoderError::WindowSizeTooBig { .. }, _) => {
                io::Error::other("it needs more than 128 MiB of memory; unpack it with `zstd -d --long=31`")
            }
            (FrameDecoderError::DictNotProvided { .. }, _) => io::Error::other("it needs a dictionary"),
            (_, Err(error)) => error,
            (_, Ok([])) => io::ErrorKind::UnexpectedEof.into(),
            (..) => io::Error::other("it is not as the format demands"),
        }
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.in_frame && !self.begin()? {
                return Ok(0);
            }
            self.in_frame = true;
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let decoded = self.decoder.decode_blocks(&mut self.from, BlockDecodingStrategy::UptoBlocks(1));
                decoded.map_err(|error| self.explained(error))?;
            }
            let read = self.decoder.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            self.in_frame = false;
            let stored = self.decoder.get_checksum_from_data();
            if stored.is_some() && stored != self.decoder.get_calculated_checksum() {
                return Err(io::Error::other("its checksum is another one"));
            }
        }
    }
}
