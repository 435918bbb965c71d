//! Who moves the data of a file, and what stands in where that does not work.

use std::collections::HashSet;
use std::io;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

use super::buffer::Blocks;
use super::error::StageError;
use super::options::{Engine, Options};
#[cfg(target_os = "linux")]
use super::ring::Ring;
use super::transfer::{Failure, Transfer};
use super::{asynchronous, blocking, kernel};

impl Engine {
    /// Tries the engine without a file.
    ///
    /// # Errors
    ///
    /// [`StageError::EngineUnavailable`] with what the kernel says.
    pub(super) fn probe(self) -> Result<(), StageError> {
        let result = match self {
            Self::Blocking => Ok(()),
            Self::Tokio => runtime().map(drop),
            Self::CopyFileRange => kernel::available(),
            Self::IoUring => ring_works(),
        };
        result.map_err(|error| self.unavailable(&error))
    }

    /// The error of an engine that does not work.
    pub(super) fn unavailable(self, reason: &io::Error) -> StageError {
        StageError::EngineUnavailable { engine: self.name(), reason: reason.to_string() }
    }
}

/// Whether this process can have a ring.
#[cfg(target_os = "linux")]
fn ring_works() -> io::Result<()> {
    Ring::new(1, 1).map(drop)
}

/// Only Linux has rings.
#[cfg(not(target_os = "linux"))]
fn ring_works() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The runtime that all stages of this process share.
fn runtime() -> io::Result<&'static Runtime> {
    static RUNTIME: OnceLock<io::Result<Runtime>> = OnceLock::new();
    let made = RUNTIME.get_or_init(|| Builder::new_multi_thread().worker_threads(2).build());
    made.as_ref().map_err(|error| io::Error::new(error.kind(), error.to_string()))
}

/// The engines of one worker, made when they are first needed.
pub(super) struct Engines {
    options: Options,
    /// Whether a ring can be had, where nobody chose an engine.
    ring_works: bool,
    /// One block for the blocking engine.
    memory: Option<Blocks>,
    /// The ring.
    #[cfg(target_os = "linux")]
    ring: Option<Ring>,
    /// Pairs of source and target device that share no blocks.
    no_reflink: HashSet<(u64, u64)>,
    /// Pairs of source and target device that the kernel does not copy between.
    no_kernel_copy: HashSet<(u64, u64)>,
}

impl Engines {
    /// For a worker with these options. `ring_works` is what [`Engine::probe`] said.
    pub(super) fn new(options: &Options, ring_works: bool) -> Self {
        Self {
            options: options.clone(),
            ring_works,
            memory: None,
            #[cfg(target_os = "linux")]
            ring: None,
            no_reflink: HashSet::new(),
            no_kernel_copy: HashSet::new(),
        }
    }

    /// The engine whose memory `O_DIRECT` would pass through here, if any.
    pub(super) fn direct_engine(&self) -> Option<Engine> {
        match self.options.engine {
            None if self.ring_works => Some(Engine::IoUring),
            None => Some(Engine::Blocking),
            Some(engine) if engine.takes_direct() => Some(engine),
            Some(_) => None,
        }
    }

    /// Makes the target share the source's blocks, where that is wanted and works.
    pub(super) fn reflink(&mut self, transfer: &Transfer<'_>, devices: (u64, u64)) -> bool {
        if !matches!(self.options.engine, None | Some(Engine::CopyFileRange)) || self.no_reflink.contains(&devices) {
            return false;
        }
        let shared = kernel::reflink(transfer.source, transfer.target);
        if !shared {
            self.no_reflink.insert(devices);
        }
        shared
    }

    /// Copies, and says which engine did.
    pub(super) fn copy(&mut self, transfer: Transfer<'_>, devices: (u64, u64)) -> Result<Engine, Failure> {
        if let Some(engine) = self.options.engine {
            return self.run(engine, transfer).map(|()| engine);
        }
        if transfer.direct {
            let engine = if self.ring_works { Engine::IoUring } else { Engine::Blocking };
            return self.run(engine, transfer).map(|()| engine);
        }
        // Within the kernel nothing can be digested on the way, and small files are not worth the setup.
        if transfer.hash.is_some() || self.no_kernel_copy.contains(&devices) {
            return self.run(Engine::Blocking, transfer).map(|()| Engine::Blocking);
        }
        let Transfer { source, target, extents, direct, block, depth, control, written, .. } = transfer;
        let first =
            Transfer { source, target, extents, direct, hash: None, block, depth, control, written: &mut *written };
        match self.run(Engine::CopyFileRange, first) {
            Err(Failure::Unsupported(reason)) => {
                self.no_kernel_copy.insert(devices);
                let message =
                    format!("copy-file-range does not work between these file systems ({reason}): blocking stands in");
                control.watch.notice("engine-fallback", message);
                let second = Transfer { source, target, extents, direct, hash: None, block, depth, control, written };
                self.run(Engine::Blocking, second).map(|()| Engine::Blocking)
            }
            result => result.map(|()| Engine::CopyFileRange),
        }
    }

    /// Copies with this engine.
    fn run(&mut self, engine: Engine, transfer: Transfer<'_>) -> Result<(), Failure> {
        match engine {
            Engine::Blocking => blocking::copy(transfer, self.memory()),
            Engine::Tokio => asynchronous::copy(transfer, runtime().map_err(Failure::Unsupported)?.handle()),
            Engine::CopyFileRange => kernel::copy(transfer),
            #[cfg(target_os = "linux")]
            Engine::IoUring => {
                let ring = match &mut self.ring {
                    Some(ring) => ring,
                    none => {
                        let made = Ring::new(self.options.depth, self.options.block).map_err(Failure::Unsupported)?;
                        none.insert(made)
                    }
                };
                let result = ring.copy(transfer);
                if result.is_err() {
                    self.ring = None;
                }
                result
            }
            #[cfg(not(target_os = "linux"))]
            Engine::IoUring => Err(Failure::Unsupported(io::ErrorKind::Unsupported.into())),
        }
    }

    /// The block of the blocking engine, also for small files.
    pub(super) fn memory(&mut self) -> &mut Blocks {
        let block = self.options.block;
        self.memory.get_or_insert_with(|| Blocks::new(1, block))
    }
}
