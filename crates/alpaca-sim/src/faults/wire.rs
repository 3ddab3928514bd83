//! Answers that do not arrive as HTTP should.

use std::io::{self, Read, Write};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::answer::Answer;
use crate::wire::{gzip, head};

/// An answer that does not arrive as HTTP should. The connection ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WireFault {
    /// The request is read, and nothing ever follows.
    NoAnswer,
    /// The head of the answer comes, and nothing ever follows.
    SilenceAfterHead,
    /// Half of the body comes, and nothing ever follows.
    SilenceMidBody,
    /// The answer comes at so many bytes a second.
    SlowDrip(u32),
    /// The connection is closed before any answer.
    CloseBeforeAnswer,
    /// The connection is reset before any answer.
    Reset,
    /// The connection is reset in the middle of the body.
    ResetMidBody,
    /// The length announced is longer than the body.
    LengthTooLong,
    /// The length announced is shorter than the body.
    LengthTooShort,
    /// The length announced is no number.
    LengthNotANumber,
    /// The body is announced as gzip, and damaged in the middle.
    CorruptGzip,
    /// The body is gzip, small, and holds so many bytes once unpacked: JSON to its end.
    GzipBomb(usize),
    /// The body has no announced length and holds so many bars, about a hundred bytes each: JSON to its end.
    HugePage(usize),
    /// What comes is not HTTP.
    NotHttp,
}

impl WireFault {
    /// Sends an answer, or what is left of it.
    pub(crate) async fn send(self, stream: &mut TcpStream, answer: Answer) -> io::Result<()> {
        let length = answer.body.len();
        let headed = |length: &str| [head(&answer, &[("Content-Length", length)], true), answer.body.clone()].concat();
        match self {
            Self::NoAnswer => silence().await,
            Self::SilenceAfterHead => {
                stream.write_all(&head(&answer, &[("Content-Length", &length.to_string())], true)).await?;
                silence().await
            }
            Self::SilenceMidBody => {
                stream.write_all(&half(headed(&length.to_string()), length)).await?;
                silence().await
            }
            Self::SlowDrip(bytes_a_second) => drip(stream, &headed(&length.to_string()), bytes_a_second).await,
            Self::CloseBeforeAnswer => Ok(()),
            Self::Reset => reset(stream),
            Self::ResetMidBody => {
                stream.write_all(&half(headed(&length.to_string()), length)).await?;
                reset(stream)
            }
            Self::LengthTooLong => stream.write_all(&headed(&(length + 100).to_string())).await,
            Self::LengthTooShort => stream.write_all(&headed(&(length / 2).to_string())).await,
            Self::LengthNotANumber => stream.write_all(&headed("many")).await,
            Self::CorruptGzip => stream.write_all(&zipped(&answer, corrupted(gzip(&answer.body)))).await,
            Self::GzipBomb(bytes) => stream.write_all(&zipped(&answer, bomb(bytes)?)).await,
            Self::HugePage(bars) => huge_page(stream, &answer, bars).await,
            Self::NotHttp => stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n").await,
        }
    }
}

/// Holds the connection open until the caller, or the simulator, gives up.
async fn silence() -> io::Result<()> {
    std::future::pending().await
}

fn half(mut bytes: Vec<u8>, body: usize) -> Vec<u8> {
    bytes.truncate(bytes.len() - body.div_ceil(2));
    bytes
}

async fn drip(stream: &mut TcpStream, bytes: &[u8], bytes_a_second: u32) -> io::Result<()> {
    // Timers tick in milliseconds: what is faster than a byte each goes in larger drops.
    let drop = (bytes_a_second / 100).max(1);
    let pause = Duration::from_secs(drop.into()) / bytes_a_second.max(1);
    for bytes in bytes.chunks(drop as usize) {
        stream.write_all(bytes).await?;
        tokio::time::sleep(pause).await;
    }
    Ok(())
}

/// Closing with data unread or unsent, and no time to linger, sends RST.
fn reset(stream: &TcpStream) -> io::Result<()> {
    stream.set_zero_linger()
}

fn zipped(answer: &Answer, body: Vec<u8>) -> Vec<u8> {
    let length = body.len().to_string();
    [head(answer, &[("Content-Encoding", "gzip"), ("Content-Length", &length)], true), body].concat()
}

fn corrupted(mut body: Vec<u8>) -> Vec<u8> {
    let middle = body.len() / 2;
    for byte in &mut body[middle..] {
        *byte = !*byte;
    }
    body
}

/// An empty page with so many spaces in it, packed without ever being whole in memory.
fn bomb(bytes: usize) -> io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(b"{\"bars\":{},\"next_page_token\":null")?;
    io::copy(&mut io::repeat(b' ').take(bytes as u64), &mut packed)?;
    packed.write_all(b"}")?;
    packed.finish()
}

async fn huge_page(stream: &mut TcpStream, answer: &Answer, bars: usize) -> io::Result<()> {
    const BAR: &str = r#"{"c":1.5,"h":2,"l":1,"n":1,"o":1.5,"t":"2024-03-04T15:00:00Z","v":100,"vw":1.5},"#;
    const AT_ONCE: usize = 1000;
    stream.write_all(&head(answer, &[], true)).await?;
    stream.write_all(b"{\"bars\":{\"AAPL\":[").await?;
    let many = BAR.repeat(AT_ONCE);
    let but_last = bars.saturating_sub(1);
    for _ in 0..but_last / AT_ONCE {
        stream.write_all(many.as_bytes()).await?;
    }
    stream.write_all(BAR.repeat(but_last % AT_ONCE).as_bytes()).await?;
    stream.write_all(format!("{}]}},\"next_page_token\":null}}", BAR.trim_end_matches(',')).as_bytes()).await
}
