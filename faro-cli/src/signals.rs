//! The first SIGINT or SIGTERM ends the run in order, the second one at once.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io;

/// Listens on a thread of its own, which a reader of standard output that stopped reading does not hold up.
pub(crate) fn listen(stop: impl Fn() + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let mut asked = false;
        for signal in signals.forever() {
            if std::mem::replace(&mut asked, true) {
                std::process::exit(128 + signal);
            }
            stop();
        }
    })?;
    Ok(())
}
