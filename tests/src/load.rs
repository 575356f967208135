//! What a process costs, and how many things are done at once.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// Units of `/proc/PID/stat` in a second (`getconf CLK_TCK`), on every Linux that there is.
const TICKS: u64 = 100;

/// How long a process has to be idle to count as done.
const QUIET: Duration = Duration::from_secs(2);

/// What a process has used so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// CPU time, in user mode and in the kernel.
    pub cpu: Duration,
    /// The most memory that was resident (`VmHWM` of `/proc/PID/status`), in bytes.
    pub peak: u64,
}

impl Usage {
    /// CPU time since then.
    #[must_use]
    pub fn since(self, before: Self) -> Duration {
        self.cpu.saturating_sub(before.cpu)
    }

    /// Reads what a process has used; nothing once it has ended.
    fn of(process: u32) -> io::Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
        // The name in parentheses may hold spaces.
        let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        let ticks: u64 = fields.iter().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        let peak = peak.ok_or_else(|| io::Error::other("the process has ended"))?;
        Ok(Self { cpu: Duration::from_millis(ticks * 1_000 / TICKS), peak: peak << 10 })
    }
}

/// A process whose output goes into a file; killed when it is dropped.
#[derive(Debug)]
pub struct Measured {
    name: String,
    child: Child,
    output: NamedTempFile,
    begun: Instant,
    last: Usage,
}

impl Measured {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// It cannot be started.
    pub fn start(mut command: Command, name: &str) -> io::Result<Self> {
        let output = NamedTempFile::new()?;
        let child = command.stdin(Stdio::null()).stdout(output.reopen()?).spawn()?;
        Ok(Self { name: name.to_owned(), child, output, begun: Instant::now(), last: Usage::default() })
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Waits until it ends, looking often.
    ///
    /// # Errors
    ///
    /// It ends with an error.
    pub fn to_its_end(mut self) -> Result<Self, Box<dyn Error>> {
        loop {
            if let Ok(usage) = Usage::of(self.child.id()) {
                self.last = usage;
            }
            if let Some(status) = self.child.try_wait()? {
                return if status.success() { Ok(self) } else { Err(format!("{} ends with {status}", self.name).into()) };
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Prints what it has cost from beginning to end.
    ///
    /// # Errors
    ///
    /// Its output cannot be read.
    pub fn print(&self, what: &str) -> io::Result<()> {
        let (cpu, peak, lines) = (self.last.cpu.as_secs_f64(), self.last.peak >> 20, self.lines()?);
        let took = self.begun.elapsed().as_secs_f64();
        writeln!(io::stdout(), "{:<40} {cpu:>7.2} s CPU, {took:.2} s, peak {peak} MiB: {what}, {lines} lines out", self.name)
    }

    /// Waits until it has had nothing to do for a while.
    ///
    /// # Errors
    ///
    /// It has ended.
    pub fn when_quiet(&self) -> io::Result<Usage> {
        let (mut usage, mut since) = (Usage::of(self.child.id())?, Instant::now());
        loop {
            thread::sleep(Duration::from_millis(100));
            let now = Usage::of(self.child.id())?;
            // A timer that goes off is no work.
            if now.cpu > usage.cpu + Duration::from_millis(10) {
                since = Instant::now();
                usage = now;
            } else if since.elapsed() >= QUIET {
                return Ok(now);
            }
        }
    }

    /// How many lines it has written.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn lines(&self) -> io::Result<usize> {
        Ok(BufReader::new(File::open(self.output.path())?).lines().count())
    }

    /// Ends it.
    ///
    /// # Errors
    ///
    /// It cannot be ended.
    pub fn stop(mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Does something for each of many numbers, on many threads, and says how fast that was.
///
/// # Errors
///
/// The first that failed.
pub fn crowd<E: Error + Send + Sync + 'static>(
    what: &str,
    threads: usize,
    count: usize,
    act: impl Fn(usize) -> Result<(), E> + Sync,
) -> Result<(), Box<dyn Error>> {
    let (next, begun) = (AtomicUsize::new(0), Instant::now());
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return Ok(());
            }
            act(index)?;
        }
    };
    let done: Result<(), E> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or(Ok(())))
    });
    done?;
    let seconds = begun.elapsed().as_secs_f64();
    writeln!(io::stdout(), "{what}: {count} in {seconds:.1} s, {:.0} a second", count as f64 / seconds)?;
    Ok(())
}
