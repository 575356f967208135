//! One connection through the proxy.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::sleep;

use super::upstream::Stream;
use super::{Faults, Shared, Verdict};
use std::time::Duration;

/// So much is read at once.
const PIECE: usize = 16 << 10;

/// What ends a request without a body; only such requests are sent through a proxy that reads them.
const END: &[u8] = b"\r\n\r\n";

/// Forwards in both directions until one of them ends or a fault ends both.
pub(super) async fn serve(mut client: TcpStream, shared: &Shared, mut faults: watch::Receiver<Faults>) -> io::Result<()> {
    client.set_nodelay(true)?;
    let born = *faults.borrow_and_update();
    if born.refuses {
        return Ok(());
    }
    let mut server = shared.upstream.connect().await?;
    let (mut asked, mut answered) = (vec![0; PIECE], vec![0; PIECE]);
    let mut head = Vec::new();
    loop {
        let now = *faults.borrow_and_update();
        if now.cuts > born.cuts || now.refuses {
            return Ok(());
        }
        if now.stalls > born.stalls {
            // Nothing passes, and nothing ends until it is cut.
            faults.wait_for(|now| now.cuts > born.cuts || now.refuses).await.map_err(io::Error::other)?;
            return Ok(());
        }
        tokio::select! {
            changed = faults.changed() => changed.map_err(io::Error::other)?,
            count = client.read(&mut asked) => {
                let count = count?;
                if count == 0 {
                    return Ok(());
                }
                if !shared.upstream.is_readable() {
                    server.write_all(&asked[..count]).await?;
                    server.flush().await?;
                    continue;
                }
                head.extend_from_slice(&asked[..count]);
                while let Some(end) = head.windows(END.len()).position(|bytes| bytes == END) {
                    let request: Vec<u8> = head.drain(..end + END.len()).collect();
                    if !request_came(&request, shared, &mut client, &mut server).await? {
                        return Ok(());
                    }
                }
            }
            count = server.read(&mut answered) => {
                let count = count?;
                if count == 0 {
                    return Ok(());
                }
                if !answer(&answered[..count], now, now.tears > born.tears, &mut client).await? {
                    return Ok(());
                }
            }
        }
    }
}

/// Tells whether the connection goes on.
async fn request_came(request: &[u8], shared: &Shared, client: &mut TcpStream, server: &mut Box<dyn Stream>) -> io::Result<bool> {
    let text = String::from_utf8_lossy(request);
    let (line, rest) = text.split_once("\r\n").unwrap_or((&text, ""));
    match shared.judge(line) {
        Verdict::Forward => server.write_all(request).await?,
        Verdict::Rewrite(line) => server.write_all(format!("{line}\r\n{rest}").as_bytes()).await?,
        Verdict::Answer(answer) => {
            client.write_all(answer.as_bytes()).await?;
            client.shutdown().await?;
            return Ok(false);
        }
    }
    server.flush().await?;
    Ok(true)
}

/// Tells whether the connection goes on.
async fn answer(bytes: &[u8], faults: Faults, torn: bool, client: &mut TcpStream) -> io::Result<bool> {
    if !faults.delay.is_zero() {
        sleep(faults.delay).await;
    }
    let end = bytes.iter().rposition(|byte| *byte == b'\n').filter(|end| torn && *end > 1);
    if let Some(end) = end {
        client.write_all(&bytes[..end / 2]).await?;
        return Ok(false);
    }
    if faults.rate == 0 {
        client.write_all(bytes).await?;
        return Ok(true);
    }
    // A twentieth of a second at a time.
    let rate = usize::try_from(faults.rate).unwrap_or(usize::MAX);
    for piece in bytes.chunks((rate / 20).max(1)) {
        client.write_all(piece).await?;
        sleep(Duration::from_millis(50)).await;
    }
    Ok(true)
}
