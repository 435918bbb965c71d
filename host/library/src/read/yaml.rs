//! Documents of YAML, which take the feature `yaml`.

use serde_json::Value;

use crate::error::Error;

/// The documents of a text, without those that are empty.
#[cfg(feature = "yaml")]
pub(super) fn documents(content: &str, source: &str) -> Result<Vec<Value>, Error> {
    // A name may be `n`, `no` or `off`, which YAML 1.1 has for booleans.
    let options = serde_saphyr::options! { strict_booleans: true };
    let mut documents: Vec<Value> = serde_saphyr::from_multiple_with_options(content, options).map_err(|error| {
        let (line, column) = error.location().map_or((1, 1), |at| (at.line() as usize, at.column() as usize));
        // The first line says what is wrong; the others show the text.
        let message = format!("not YAML: {}", error.to_string().lines().next().unwrap_or_default());
        Error::FileMalformed { file: source.to_owned(), line, column, message, hint: crate::error::SEE_FORMATS }
    })?;
    documents.retain(|document| !document.is_null());
    Ok(documents)
}

/// Without the feature there is no parser.
#[cfg(not(feature = "yaml"))]
pub(super) fn documents(_: &str, source: &str) -> Result<Vec<Value>, Error> {
    Err(Error::FeatureMissing { feature: "yaml", wanted: format!("{source}, which is not JSON but may be YAML,") })
}
