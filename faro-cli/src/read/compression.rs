//! Opens what gzip and zstd have packed, told by its first bytes.

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::{self, BufRead, BufReader, Cursor, Read};

/// A reader of bytes, wherever they come from.
pub(super) type Bytes = Box<dyn Read + Send>;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Looks at the first bytes and unpacks what they announce; tells whether they did.
pub(super) fn unpack(mut packed: Bytes) -> io::Result<(Bytes, bool)> {
    let mut head = Vec::with_capacity(ZSTD.len());
    while head.len() < ZSTD.len() && (ZSTD.starts_with(&head) || GZIP.starts_with(&head)) {
        let mut byte = [0];
        match packed.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => head.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let (gzip, zstd) = (head.starts_with(&GZIP), head == ZSTD);
    let whole = Cursor::new(head).chain(packed);
    Ok(if gzip {
        (Box::new(MultiGzDecoder::new(BufReader::with_capacity(64 << 10, whole))), true)
    } else if zstd {
        let source = BufReader::with_capacity(64 << 10, Box::new(whole) as Bytes);
        (Box::new(Zstd { source, decoder: FrameDecoder::new(), open: false }), true)
    } else {
        (Box::new(whole), false)
    })
}

/// Frame after frame; the decoder knows only one.
struct Zstd {
    source: BufReader<Bytes>,
    decoder: FrameDecoder,
    open: bool,
}

impl Read for Zstd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.open {
                while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                    let strategy = BlockDecodingStrategy::UptoBlocks(1);
                    self.decoder.decode_blocks(&mut self.source, strategy).map_err(io::Error::other)?;
                }
                if self.decoder.can_collect() > 0 || buffer.is_empty() {
                    return self.decoder.read(buffer);
                }
                self.open = false;
            }
            if self.source.fill_buf()?.is_empty() {
                return Ok(0);
            }
            match self.decoder.init(&mut self.source) {
                Ok(()) => self.open = true,
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    io::copy(&mut self.source.by_ref().take(u64::from(length)), &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }
}
