//! A server's process: its own session, stopped when Docket is, its log bounded.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Pid, setsid};
use tokio::sync::oneshot;

use crate::permissions::private_file;

/// Above this a log begins anew; looked at once a minute.
const LOG_LIMIT: u64 = 16 << 20;

/// How to ask a process to end: each signal, and how long it has before the next; `SIGKILL` comes after the last.
pub(crate) type Farewell = &'static [(Signal, Duration)];

pub(crate) struct Process {
    child: Mutex<Child>,
    pid: u32,
    farewell: Farewell,
    /// The spawner's thread bounds the log for as long as this lives.
    _log: Arc<File>,
}

impl Process {
    /// Starts it with its output in `log` and `lock` as its standard input: the lock is then held until both Docket and the
    /// server, with all its children, are gone.
    pub(crate) async fn spawn(
        mut command: Command,
        log: &Path,
        lock: &File,
        farewell: Farewell,
    ) -> io::Result<Process> {
        let log = Arc::new(fresh_log(log)?);
        command.stdin(lock.try_clone()?).stdout(log.try_clone()?).stderr(log.try_clone()?);
        leave_session_and_die_with_parent(&mut command);
        let (reply, answer) = oneshot::channel();
        let gone = || io::Error::other("the thread that starts servers is gone");
        let job = Job { command, log: Arc::downgrade(&log), reply };
        spawner().ok_or_else(gone)?.send(job).map_err(|_| gone())?;
        let child = answer.await.map_err(|_| gone())??;
        // for who finds the lock held when we are gone
        let _ = writeln!(&mut &*lock, "{}", child.id());
        Ok(Process { pid: child.id(), child: Mutex::new(child), farewell, _log: log })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&self) -> Option<ExitStatus> {
        self.child().try_wait().ok().flatten()
    }

    pub(crate) async fn exited(&self) -> ExitStatus {
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub(crate) fn kill(&self) {
        let _ = self.child().kill();
    }

    /// Blocks until it is gone.
    pub(crate) fn stop(&self) {
        let mut child = self.child();
        for (signal, patience) in self.farewell {
            if wait(&mut child, Duration::ZERO) {
                return;
            }
            // not reaped yet (we hold the lock), so the id is still its own
            let _ = kill(raw(self.pid), *signal);
            if wait(&mut child, *patience) {
                return;
            }
            tracing::warn!(pid = self.pid, %signal, "a server did not stop when asked");
        }
        let _ = child.kill();
        let _ = child.wait();
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Runs a helper to its end; it is killed when the time is over or the caller goes away.
pub(crate) async fn run(command: Command, limit: Duration) -> io::Result<Output> {
    let mut command = tokio::process::Command::from(command);
    match tokio::time::timeout(limit, command.kill_on_drop(true).output()).await {
        Ok(output) => output,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, format!("did not end within {} s", limit.as_secs()))),
    }
}

/// The last lines of a log, for an error message.
pub(crate) fn log_tail(log: &Path) -> String {
    let mut text = String::new();
    let read = File::open(log).and_then(|mut file| {
        let start = file.metadata()?.len().saturating_sub(4096);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(())
    });
    match read {
        Ok(()) => {
            let lines: Vec<&str> = text.trim_end().lines().collect();
            lines[lines.len().saturating_sub(10)..].join("\n")
        }
        Err(error) => format!("(can't be read: {error})"),
    }
}

/// The log of the run before is kept beside it.
fn fresh_log(log: &Path) -> io::Result<File> {
    let mut before = log.as_os_str().to_owned();
    before.push(".1");
    let _ = std::fs::rename(log, before);
    // appending, so that truncating it under the server leaves no hole
    private_file().append(true).open(log)
}

struct Job {
    command: Command,
    log: Weak<File>,
    reply: oneshot::Sender<io::Result<Child>>,
}

/// The parent-death signal comes when the *thread* that forked ends, so the forking is left to one that never does.
fn spawner() -> Option<&'static Sender<Job>> {
    static SPAWNER: OnceLock<Option<Sender<Job>>> = OnceLock::new();
    let start = || {
        let (sender, jobs) = channel();
        std::thread::Builder::new().name("devstack".into()).spawn(move || spawn_and_tidy(&jobs)).ok().map(|_| sender)
    };
    SPAWNER.get_or_init(start).as_ref()
}

fn spawn_and_tidy(jobs: &Receiver<Job>) {
    let mut logs: Vec<Weak<File>> = Vec::new();
    loop {
        match jobs.recv_timeout(Duration::from_mins(1)) {
            Ok(mut job) => {
                let spawned = job.command.spawn();
                logs.push(job.log);
                if let Err(Ok(mut orphan)) = job.reply.send(spawned) {
                    let _ = orphan.kill();
                    let _ = orphan.wait();
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                logs.retain(|log| log.upgrade().is_some_and(|log| bound(&log)));
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Always true: the log stays in the list even if it can't be truncated now.
fn bound(log: &File) -> bool {
    if log.metadata().is_ok_and(|found| found.len() > LOG_LIMIT) {
        let _ = log.set_len(0);
    }
    true
}

#[allow(unsafe_code)]
fn leave_session_and_die_with_parent(command: &mut Command) {
    let parent = raw(std::process::id());
    let prepare = move || {
        setsid()?;
        // what it makes is its owner's alone, whatever our umask is
        umask(Mode::from_bits_truncate(0o077));
        #[cfg(target_os = "linux")]
        {
            // after the change of user, which would clear it (std runs this last)
            nix::sys::prctl::set_pdeathsig(Signal::SIGINT)?;
            if nix::unistd::getppid() != parent {
                return Err(nix::errno::Errno::ESRCH.into());
            }
        }
        let _ = parent;
        Ok(())
    };
    // SAFETY: between fork and exec only async-signal-safe system calls are made (setsid, umask, prctl, getppid), nothing allocates, and
    // the closure captures a plain number.
    unsafe { command.pre_exec(prepare) };
}

/// Detaches a command that shall outlive this process.
#[allow(unsafe_code)]
pub(crate) fn spawn_detached(mut command: Command) -> io::Result<Child> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: setsid is async-signal-safe, and nothing is captured.
    unsafe { command.pre_exec(|| setsid().map(drop).map_err(Into::into)) };
    command.spawn()
}

fn wait(child: &mut Child, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    loop {
        // an error means that there is no such child any more
        if !matches!(child.try_wait(), Ok(None)) {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn raw(pid: u32) -> Pid {
    Pid::from_raw(pid.cast_signed())
}

/// Whether a process of this id lives, be it another user's; a zombie does not.
pub(crate) fn alive(pid: u32) -> bool {
    match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        // after the name in parentheses, which may hold anything
        Ok(stat) => !stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with(['Z', 'X'])),
        Err(_) => matches!(kill(raw(pid), None), Ok(()) | Err(nix::errno::Errno::EPERM)),
    }
}

/// Whether the process of this id is the one that works in this folder, and has not only come by the number of one that did. What
/// runs on a folder's data has it for its working directory; root in a container may not be allowed to look there, but may read the
/// command line, which names it too.
pub(crate) fn works_in(pid: u32, dir: &Path) -> bool {
    match std::fs::read_link(format!("/proc/{pid}/cwd")) {
        Ok(found) => found == dir,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let dir = dir.as_os_str().as_encoded_bytes();
            line.split(|byte| *byte == 0).any(|argument| argument == dir)
        }
        Err(_) => !Path::new("/proc/self").exists() && alive(pid),
    }
}

/// Asks a process that is not our child to end.
pub(crate) fn interrupt(pid: u32) {
    let _ = kill(raw(pid), Signal::SIGINT);
}
