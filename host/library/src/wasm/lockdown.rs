//! What a component gets that was built with a standard library: a WASI in which there is nothing.
//!
//! No files, no environment, no arguments, no network; clocks that stand still, and randomness that is a fixed sequence,
//! so that the same input gives the same answer. What it prints is kept, up to a limit, for the error of a call that fails.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::clocks::{WasiClocksCtxView, WasiClocksView};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::bindings::random::{insecure, random};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::p2::{DynPollable, OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView, async_trait};

/// The fixed sequence that stands for randomness, over and over; the same in both hosts.
const NO_CHANCE: [u8; 16] = *b"offermatch-fixed";
/// Streams, sockets and the like that one instance can hold.
const MOST_RESOURCES: usize = 1000;
/// How much of what was printed an error shows, in characters.
const SHOWN: usize = 2000;

/// What has an empty WASI.
pub(crate) trait Locked: WasiView {
    fn lockdown(&mut self) -> &mut Lockdown;
}

/// Puts an empty WASI into a linker.
///
/// # Errors
/// When something of that name is there already.
pub(crate) fn add_to_linker<T: Locked>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_sync(linker)?;
    linker.allow_shadowing(true);
    monotonic_clock::add_to_linker::<T, Standstill>(linker, |state| Standing(state.clocks()))?;
    random::add_to_linker::<T, Chance>(linker, |state| &mut state.lockdown().secure)?;
    insecure::add_to_linker::<T, Chance>(linker, |state| &mut state.lockdown().insecure)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// The empty WASI of one instance.
pub(crate) struct Lockdown {
    /// What is granted: nothing.
    context: WasiCtx,
    /// Streams and the like.
    table: ResourceTable,
    /// The numbers of `wasi:random/random`.
    secure: Chance,
    /// The numbers of `wasi:random/insecure`.
    insecure: Chance,
    /// What was printed to standard output.
    stdout: Captured,
    /// What was printed to standard error.
    stderr: Captured,
}

impl Lockdown {
    /// An empty WASI that keeps this many bytes of each stream.
    pub(crate) fn new(text_bytes: u64) -> Self {
        let (stdout, stderr) = (Captured::new(text_bytes), Captured::new(text_bytes));
        let context = WasiCtx::builder()
            .stdout(stdout.clone())
            .stderr(stderr.clone())
            .wall_clock(Stopped)
            .monotonic_clock(Stopped)
            .insecure_random_seed(u128::from_le_bytes(NO_CHANCE))
            .allow_tcp(false)
            .allow_udp(false)
            .build();
        let mut table = ResourceTable::new();
        table.set_max_capacity(MOST_RESOURCES);
        let (secure, insecure) = (Chance::new(text_bytes), Chance::new(text_bytes));
        Self { context, table, secure, insecure, stdout, stderr }
    }

    /// What wasmtime's functions work on.
    pub(crate) fn view(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.context, table: &mut self.table }
    }

    /// What was printed, for an error; empty where nothing was.
    pub(crate) fn printed(&self) -> String {
        let mut text = String::new();
        for (stream, captured) in [("standard output", &self.stdout), ("standard error", &self.stderr)] {
            let (kept, bytes) = captured.contents();
            if bytes > 0 {
                let tail = &kept[kept.len() - kept.chars().rev().take(SHOWN).map(char::len_utf8).sum::<usize>()..];
                let cut = if tail.len() < bytes as usize { format!(" ({bytes} bytes in all)") } else { String::new() };
                text.push_str(&format!("; {stream}: {:?}{cut}", tail.trim_end()));
            }
        }
        text
    }
}

impl fmt::Debug for Lockdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lockdown").field("printed", &self.printed()).finish_non_exhaustive()
    }
}

/// The fixed sequence that stands for randomness.
struct Chance {
    /// How many numbers were taken of it, modulo its length.
    taken: usize,
    /// How many may be taken at once.
    most: u64,
}

impl Chance {
    /// The sequence, from its beginning.
    fn new(most: u64) -> Self {
        Self { taken: 0, most }
    }

    /// The next numbers.
    fn bytes(&mut self, count: u64) -> wasmtime::Result<Vec<u8>> {
        if count > self.most {
            wasmtime::bail!("{count} random bytes asked in one call, above {}", self.most);
        }
        let next = NO_CHANCE.iter().cycle().skip(self.taken);
        self.taken = (self.taken + count as usize) % NO_CHANCE.len();
        Ok(next.take(count as usize).copied().collect())
    }

    /// The next eight numbers as one, the first being the highest.
    fn number(&mut self) -> u64 {
        let mut next = 0;
        for _ in 0..8 {
            next = next << 8 | u64::from(NO_CHANCE[self.taken]);
            self.taken = (self.taken + 1) % NO_CHANCE.len();
        }
        next
    }
}

impl HasData for Chance {
    type Data<'a> = &'a mut Self;
}

impl random::Host for Chance {
    fn get_random_bytes(&mut self, count: u64) -> wasmtime::Result<Vec<u8>> {
        self.bytes(count)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.number())
    }
}

impl insecure::Host for Chance {
    fn get_insecure_random_bytes(&mut self, count: u64) -> wasmtime::Result<Vec<u8>> {
        self.bytes(count)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.number())
    }
}

/// A clock that stands at zero.
struct Stopped;

impl HostWallClock for Stopped {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

impl HostMonotonicClock for Stopped {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        0
    }
}

/// A monotonic clock that stands still, and on which nobody waits: a component that sleeps would outlive its limit, because
/// an epoch interrupts WebAssembly, not its host.
struct Standing<'a>(WasiClocksCtxView<'a>);

/// The clock of each instance.
struct Standstill;

impl HasData for Standstill {
    type Data<'a> = Standing<'a>;
}

impl monotonic_clock::Host for Standing<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        monotonic_clock::Host::now(&mut self.0)
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        monotonic_clock::Host::resolution(&mut self.0)
    }

    fn subscribe_instant(&mut self, _: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.0.subscribe_duration(0)
    }

    fn subscribe_duration(&mut self, _: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.0.subscribe_duration(0)
    }
}

/// The end of what was printed, where a panic stands. A clone is the same stream.
#[derive(Debug, Clone)]
struct Captured {
    /// How many bytes are kept.
    most: usize,
    /// What is kept, and how many bytes there were.
    inner: Arc<Mutex<(Vec<u8>, u64)>>,
}

impl Captured {
    /// A stream that keeps so many bytes.
    fn new(most: u64) -> Self {
        Self { most: usize::try_from(most).unwrap_or(usize::MAX), inner: Arc::default() }
    }

    /// What is kept, as text, and how many bytes there were.
    fn contents(&self) -> (String, u64) {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = inner.0.len().saturating_sub(self.most);
        (String::from_utf8_lossy(&inner.0[begin..]).into_owned(), inner.1)
    }
}

#[async_trait]
impl Pollable for Captured {
    async fn ready(&mut self) {}
}

impl OutputStream for Captured {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.0.extend_from_slice(&bytes);
        inner.1 += bytes.len() as u64;
        // The front goes in large pieces, not byte by byte.
        if inner.0.len() > self.most.saturating_mul(2) {
            let front = inner.0.len() - self.most;
            inner.0.drain(..front);
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(1 << 16)
    }
}

impl IsTerminal for Captured {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Captured {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        // Only the later WASI asks for this one, and it is not in the linker.
        MemoryOutputPipe::new(0).async_stream()
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_the_fixed_sequence_over_and_over() {
        let mut chance = Chance::new(100);
        assert_eq!(chance.bytes(18).unwrap(), b"offermatch-fixedof");
        assert_eq!(chance.number(), u64::from_be_bytes(*b"fermatch"));
        assert_eq!(chance.bytes(3).unwrap(), b"-fi");
        assert!(chance.bytes(101).is_err());
    }

    #[test]
    fn the_end_of_what_was_printed_is_kept() {
        let mut captured = Captured::new(4);
        for text in ["a long beginning, ", "and", " the end"] {
            captured.write(Bytes::from_static(text.as_bytes())).unwrap();
        }
        assert_eq!(captured.contents(), (" end".to_owned(), 29));
    }
}
