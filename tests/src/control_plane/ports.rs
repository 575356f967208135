//! Free ports of the loopback interface.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Mutex, PoisonError};

/// Below the ports that systems give to outgoing connections, so that a port stays ours while its server is restarted.
const FIRST: u16 = 20_000;
const LAST: u16 = 31_999;

/// What this process has handed out: not every server listens at once.
static TAKEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// Returns a port that nobody listens on, from a random place, so that processes that look at the same time look elsewhere.
///
/// # Errors
///
/// Fails when there is none.
pub fn free() -> io::Result<u16> {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    let count = LAST - FIRST + 1;
    let begin = RandomState::new().hash_one(0) % u64::from(count);
    let begin = u16::try_from(begin).unwrap_or_default();
    let port = (0..count)
        .map(|step| FIRST + (begin + step) % count)
        .find(|port| !taken.contains(port) && TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .ok_or_else(|| io::Error::new(io::ErrorKind::AddrInUse, "no free port"))?;
    taken.insert(port);
    Ok(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_handed_out_twice() {
        let ports: BTreeSet<u16> = (0..50).map(|_| free().expect("free")).collect();
        assert_eq!(ports.len(), 50);
    }
}
