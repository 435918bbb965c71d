//! The engine on tokio: one task reads ahead, the other writes.

use std::io::{self, SeekFrom};
use std::ops::Range;

use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::extents::blocks;
use super::transfer::{Failure, Transfer};

/// Copies with at most `depth` blocks in memory.
pub(super) fn copy(transfer: Transfer<'_>, runtime: &Handle) -> Result<(), Failure> {
    let Transfer { source, target, extents, mut hash, block, depth, control, written, .. } = transfer;
    let mut source = open(source, block).map_err(Failure::Read)?;
    let mut target = open(target, block).map_err(Failure::Write)?;
    let ranges: Vec<Range<u64>> = blocks(extents, block as u64).collect();
    let (sender, mut receiver) = mpsc::channel(depth.max(1));
    let reader = runtime.spawn(async move {
        let mut position = None;
        for range in ranges {
            let block = read(&mut source, &mut position, &range).await;
            let failed = block.is_err();
            // The writer is gone when it failed; it says why.
            if sender.send((range, block)).await.is_err() || failed {
                return;
            }
        }
    });
    let result = runtime.block_on(async {
        let mut position = None;
        while let Some((range, block)) = receiver.recv().await {
            let block = block?;
            control.admit(block.len() as u64)?;
            if let Some(hash) = &mut hash {
                hash.update(range.start, &block);
            }
            write(&mut target, &mut position, &range, &block).await.map_err(Failure::Write)?;
            control.watch.wrote(block.len() as u64);
            // What is handed to tokio may be in its buffer still.
        }
        target.flush().await.map_err(Failure::Write)
    });
    reader.abort();
    result?;
    extents.last().map_or(Ok(()), |last| written(last.end))
}

/// A file of tokio's, on the same open file.
fn open(file: &std::fs::File, block: usize) -> io::Result<File> {
    let mut file = File::from_std(file.try_clone()?);
    file.set_max_buf_size(block);
    Ok(file)
}

/// Reads one block.
async fn read(file: &mut File, position: &mut Option<u64>, range: &Range<u64>) -> Result<Vec<u8>, Failure> {
    if *position != Some(range.start) {
        file.seek(SeekFrom::Start(range.start)).await.map_err(Failure::Read)?;
    }
    let mut block = vec![0; (range.end - range.start) as usize];
    let mut filled = 0;
    while filled < block.len() {
        match file.read(&mut block[filled..]).await.map_err(Failure::Read)? {
            0 => return Err(Failure::Short(range.start + filled as u64)),
            found => filled += found,
        }
    }
    *position = Some(range.end);
    Ok(block)
}

/// Writes one block.
async fn write(file: &mut File, position: &mut Option<u64>, range: &Range<u64>, block: &[u8]) -> io::Result<()> {
    if *position != Some(range.start) {
        file.seek(SeekFrom::Start(range.start)).await?;
    }
    file.write_all(block).await?;
    *position = Some(range.end);
    Ok(())
}
