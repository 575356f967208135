//! A stream of what happens in a cluster, one line each, as the API server sent it:
//!
//! ```text
//! cargo run -p faro-watch --example stream -- v1/events v1/pods apps/v1/deployments
//! ```

use faro_watch::{Cluster, Output, Selection, Watcher};
use std::io::Write as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let selections: Vec<_> = std::env::args().skip(1).map(Selection::new).collect();
    let mut watcher = Watcher::builder().cluster(Cluster::find(None, None)?, selections).start().await?;
    let mut out = std::io::stdout().lock();
    while let Some(output) = watcher.next().await {
        if let Output::Feed(feed) = output {
            writeln!(out, "{}", faro_watch::strip(feed.line()))?;
        }
    }
    Ok(())
}
