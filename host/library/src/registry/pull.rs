//! Fetches a component: manifest, layer, cache. Both hosts keep what they fetch in the same files.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::digest::sha256;
use crate::error::Error;
use crate::limits::Limits;
use crate::reading::read_bounded;
use crate::wasm::cache::{Cache, check_owner, make_folder};

use super::artifact::{Layer, MANIFEST_TYPE};
use super::client::Client;
use super::reference::{Reference, Version};

/// Bytes of a manifest.
const MOST_OF_A_MANIFEST: u64 = 1 << 20;

/// The path of a component, in the cache. What was fetched by digest is not asked for again. The signature that the manifest
/// carries lies beside the component.
///
/// # Errors
/// [`Error::RegistryUnreachable`], [`Error::RegistryRefused`], [`Error::RegistryLied`], [`Error::LimitExceeded`] and
/// [`Error::ComponentNotKept`].
pub(super) fn pull(reference: &Reference, limits: &Limits) -> Result<PathBuf, Error> {
    let folder = Cache::from_environment().folder_or_temporary().join("oci");
    if let Version::Digest(digest) = &reference.version
        && let Some(path) = kept(&folder, digest, reference, limits)
    {
        return Ok(path);
    }
    let mut client = Client::new(reference);
    let manifest = client.get(&format!("/manifests/{}", reference.pinned()), MANIFEST_TYPE, MOST_OF_A_MANIFEST)?;
    let lied = |reason: String| Error::RegistryLied { reference: reference.to_string(), reason };
    let longer = |what: &str, most: u64| lied(format!("{what} is longer than the {most} bytes that it may have"));
    if manifest.len() as u64 > MOST_OF_A_MANIFEST {
        return Err(longer("the manifest", MOST_OF_A_MANIFEST));
    }
    let digest = sha256(&manifest);
    if matches!(&reference.version, Version::Digest(asked) if *asked != digest) {
        return Err(lied(format!("it sent a manifest of digest {digest}")));
    }
    let layer = Layer::of(&manifest, reference)?;
    limits.check_size(layer.size, layer.size, &reference.to_string())?;
    let component = client.get(&format!("/blobs/{}", layer.digest), "*/*", layer.size)?;
    if component.len() as u64 > layer.size {
        return Err(longer("the layer", layer.size));
    }
    let found = sha256(&component);
    if component.len() as u64 != layer.size || found != layer.digest {
        let (read, size) = (component.len(), layer.size);
        return Err(lied(format!("it sent {read} bytes of digest {found} for a layer of {size} bytes")));
    }
    let path = file(&folder, &layer.digest, "wasm");
    let keep = || {
        make_folder(&folder)?;
        check_owner("the folder", &fs::metadata(&folder)?).map_err(io::Error::other)?;
        put_in_place(&folder, &path, &component)?;
        if let Some(signature) = &layer.signature {
            put_in_place(&folder, &beside(&path), signature.as_bytes())?;
        }
        put_in_place(&folder, &file(&folder, &digest, "json"), &manifest)
    };
    keep().map_err(|error| Error::ComponentNotKept { folder: folder.display().to_string(), error })?;
    Ok(path)
}

/// The component of an artifact that was fetched before, if every byte of it is still what it was.
fn kept(folder: &Path, digest: &str, reference: &Reference, limits: &Limits) -> Option<PathBuf> {
    check_owner("the folder", &fs::metadata(folder).ok()?).ok()?;
    let manifest = read_bounded(&file(folder, digest, "json"), MOST_OF_A_MANIFEST).ok()?;
    let layer = (sha256(&manifest) == digest).then(|| Layer::of(&manifest, reference).ok())??;
    let path = file(folder, &layer.digest, "wasm");
    let same = sha256(&read_bounded(&path, limits.component_bytes).ok()?) == layer.digest;
    let signed = layer.signature.is_none_or(|signature| {
        read_bounded(&beside(&path), MOST_OF_A_MANIFEST).is_ok_and(|found| found == signature.as_bytes())
    });
    (same && signed).then_some(path)
}

/// The file of what has a digest.
fn file(folder: &Path, digest: &str, ending: &str) -> PathBuf {
    folder.join(format!("{}.{ending}", digest.replace(':', "-")))
}

/// The signature beside a component.
fn beside(component: &Path) -> PathBuf {
    let mut name = component.as_os_str().to_owned();
    name.push(".minisig");
    PathBuf::from(name)
}

/// Writes a file at once, so that a reader sees all of it or none, whoever else writes.
fn put_in_place(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(bytes)?;
    temporary.persist(path).map_err(|error| error.error)?;
    Ok(())
}
