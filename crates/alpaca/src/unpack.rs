//! A body on its way in: unpacked where it came as gzip, and never longer than it may be.

use std::io::{self, ErrorKind, Write};

use flate2::write::MultiGzDecoder;

/// What came of a body so far. Not left to the HTTP client, which reads the first member of a gzip body and refuses the rest.
pub(crate) enum Unpacking {
    Plain(Capped),
    /// One member after another: their contents are one body.
    Gzip(Box<MultiGzDecoder<Capped>>),
}

/// Why a body is not taken further.
#[derive(Debug)]
pub(crate) enum Spoiled {
    /// It is longer than it may be.
    TooLong,
    /// It is no gzip, or is cut off.
    Undecodable(io::Error),
}

/// Bytes that are kept up to a number.
pub(crate) struct Capped {
    bytes: Vec<u8>,
    most: usize,
    is_over: bool,
}

impl Unpacking {
    /// A body of at most so many bytes, unpacked.
    pub(crate) fn new(is_gzip: bool, most_bytes: u64) -> Self {
        let most = usize::try_from(most_bytes).unwrap_or(usize::MAX);
        let body = Capped { bytes: Vec::new(), most, is_over: false };
        if is_gzip { Self::Gzip(Box::new(MultiGzDecoder::new(body))) } else { Self::Plain(body) }
    }

    /// Takes what came next.
    pub(crate) fn push(&mut self, chunk: &[u8]) -> Result<(), Spoiled> {
        let written = match self {
            Self::Plain(body) => body.write_all(chunk),
            Self::Gzip(decoder) => decoder.write_all(chunk),
        };
        written.map_err(|error| self.spoiled(error))
    }

    /// The body, of which all has come.
    pub(crate) fn finish(mut self) -> Result<Vec<u8>, (Spoiled, Vec<u8>)> {
        let finished = match &mut self {
            Self::Plain(_) => Ok(()),
            Self::Gzip(decoder) => decoder.try_finish(),
        };
        match finished {
            Ok(()) => Ok(self.into_bytes()),
            Err(error) => Err((self.spoiled(error), self.into_bytes())),
        }
    }

    /// What there is of it.
    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        std::mem::take(&mut self.body_mut().bytes)
    }

    fn spoiled(&mut self, error: io::Error) -> Spoiled {
        if self.body_mut().is_over { Spoiled::TooLong } else { Spoiled::Undecodable(error) }
    }

    fn body_mut(&mut self) -> &mut Capped {
        match self {
            Self::Plain(body) => body,
            Self::Gzip(decoder) => decoder.get_mut(),
        }
    }
}

impl Write for Capped {
    /// What still fits is kept: a refusal is understood by its beginning.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.most - self.bytes.len();
        self.bytes.extend_from_slice(&bytes[..room.min(bytes.len())]);
        self.is_over |= bytes.len() > room;
        if self.is_over { Err(ErrorKind::FileTooLarge.into()) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked(packed: &[u8], chunk: usize, most_bytes: u64) -> Result<Vec<u8>, Spoiled> {
        let mut unpacking = Unpacking::new(true, most_bytes);
        packed.chunks(chunk).try_for_each(|chunk| unpacking.push(chunk))?;
        unpacking.finish().map_err(|(spoiled, _)| spoiled)
    }

    #[test]
    fn members_are_one_body_wherever_they_are_cut() {
        let packed = [gzip(b"{\"bars\":"), gzip(b""), gzip(b"{}}")].concat();
        for chunk in 1..=packed.len() {
            assert_eq!(unpacked(&packed, chunk, 100).unwrap(), b"{\"bars\":{}}", "in pieces of {chunk}");
        }
    }

    #[test]
    fn a_body_that_is_cut_off_or_goes_on_as_something_else_is_none() {
        let packed = [gzip(b"one"), gzip(b"two")].concat();
        for end in (0..packed.len()).filter(|end| *end != packed.len() / 2) {
            assert!(matches!(unpacked(&packed[..end], 7, 100), Err(Spoiled::Undecodable(_))), "{end} bytes of it");
        }
        let trailed = [&packed[..], b"<html>"].concat();
        assert!(matches!(unpacked(&trailed, 7, 100), Err(Spoiled::Undecodable(_))));
    }

    #[test]
    fn all_members_together_are_held_to_the_limit() {
        let packed = [gzip(&[b' '; 600]), gzip(&[b' '; 400])].concat();
        assert_eq!(unpacked(&packed, 5, 1_000).unwrap().len(), 1_000);
        assert!(matches!(unpacked(&packed, 5, 999), Err(Spoiled::TooLong)));
    }
}
