//! What the times of a run were taken on.

use std::fs::File;
use std::io::Read as _;

/// Bytes of what Linux says of the processors that are read.
const FIRST: u64 = 4096;

/// The machine, without its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// `linux`, `macos`.
    pub system: &'static str,
    /// `x86_64`, `aarch64`.
    pub architecture: &'static str,
    /// How many threads it runs at once; none where it does not say.
    pub cores: Option<usize>,
    /// The processor's own name; none where it is not easily found out.
    pub processor: Option<String>,
}

impl Machine {
    /// The one that this runs on.
    #[must_use]
    pub fn here() -> Self {
        // The first processor is described first; of many the rest is long.
        let mut known = Vec::new();
        let read = File::open("/proc/cpuinfo").and_then(|file| file.take(FIRST).read_to_end(&mut known));
        let known = String::from_utf8_lossy(if read.is_ok() { &known } else { &[] });
        let name = known.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
        Self {
            system: std::env::consts::OS,
            architecture: std::env::consts::ARCH,
            cores: std::thread::available_parallelism().ok().map(usize::from),
            processor: name.map(|(_, name)| name.trim().to_owned()).filter(|name| !name.is_empty()),
        }
    }
}
