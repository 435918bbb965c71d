//! The manifest of a component's artifact, in the layout that `wkg` writes and reads.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::digest::is_digest;
use crate::error::Error;
use crate::visible::visible_name;

use super::reference::Reference;

/// The media type of the manifest.
pub(super) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of a layer that is a component.
const LAYER_TYPE: &str = "application/wasm";
/// The annotation that carries a minisign signature of the layer.
const SIGNATURE_NOTE: &str = "dev.offermatch.minisig";

/// The component that an artifact is.
pub(super) struct Layer {
    /// The digest of its bytes.
    pub digest: String,
    /// How many they are.
    pub size: u64,
    /// A minisign signature of them, where there is one.
    pub signature: Option<String>,
}

/// What is read of a manifest; each value is judged by itself, so that the error names it.
#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    layers: serde_json::Value,
    #[serde(default)]
    annotations: Option<BTreeMap<String, serde_json::Value>>,
}

impl Layer {
    /// The one layer of a manifest.
    ///
    /// # Errors
    /// [`Error::RegistryLied`].
    pub(super) fn of(manifest: &[u8], reference: &Reference) -> Result<Self, Error> {
        let lied = |reason: String| Error::RegistryLied { reference: reference.to_string(), reason };
        let value: serde_json::Value =
            serde_json::from_slice(manifest).map_err(|error| lied(format!("its manifest is not JSON: {error}")))?;
        if !value.is_object() {
            return Err(lied("its manifest is not a JSON object".to_owned()));
        }
        let document: Document =
            serde_json::from_value(value).map_err(|error| lied(format!("its manifest is malformed: {error}")))?;
        let layer = match document.layers.as_array().map(Vec::as_slice) {
            Some([layer]) if layer.is_object() => layer,
            _ => return Err(lied("its manifest has not one layer, as a component has".to_owned())),
        };
        if layer["mediaType"].as_str() != Some(LAYER_TYPE) {
            let found = visible_name(&layer["mediaType"].to_string()).into_owned();
            return Err(lied(format!("its layer is {found}, not {LAYER_TYPE:?}")));
        }
        let digest = layer["digest"].as_str().filter(|digest| is_digest(digest));
        let (Some(digest), Some(size)) = (digest, layer["size"].as_u64()) else {
            return Err(lied("its layer has no size or no digest by SHA-256".to_owned()));
        };
        let note = document.annotations.as_ref().and_then(|notes| notes.get(SIGNATURE_NOTE)?.as_str());
        Ok(Self { digest: digest.to_owned(), size, signature: note.map(str::to_owned) })
    }
}
