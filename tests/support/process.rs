//! What the operating system knows of this process.

/// What grows when something leaks.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Resources {
    pub(crate) threads: usize,
    pub(crate) descriptors: usize,
    /// Bytes.
    pub(crate) resident: usize,
}

/// `None`, and a line that names what is not looked at, where there is no `/proc`.
pub(crate) fn resources() -> Option<Resources> {
    if !cfg!(target_os = "linux") {
        eprintln!("SKIPPED threads, descriptors and resident memory: they are read from /proc, on Linux");
        return None;
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap()
    };
    Some(Resources {
        threads: field("Threads:"),
        // One is that of the directory itself.
        descriptors: std::fs::read_dir("/proc/self/fd").unwrap().count() - 1,
        resident: field("VmRSS:") * 1024,
    })
}
