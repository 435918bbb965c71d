//! Questions to one registry, with credentials as Docker keeps them.
//!
//! A registry is a stranger: no more of it is read than is asked for, and a question takes at most four addresses.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read as _};
use std::path::PathBuf;
use std::time::Duration;
use std::{env, fmt};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use docker_credential::{CredentialRetrievalError, DockerCredential, get_credential_from_reader};
use http_auth::ParamValue;
use serde::Deserialize;
use ureq::http::header::{ACCEPT, AUTHORIZATION, WWW_AUTHENTICATE};
use ureq::http::{Response, StatusCode};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

use crate::error::Error;
use crate::visible::visible;

use super::reference::Reference;

/// For a connection, and between two parts of an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a registry may name another address.
const MOST_REDIRECTIONS: u32 = 3;
/// Bytes of an answer that is no blob and no manifest: an error, or a token.
const MOST_OF_AN_ANSWER: u64 = 1 << 16;
/// Characters of a stranger's text that a message shows.
const SHOWN: usize = 200;
/// What to do where a registry wants credentials.
const LOG_IN: &str = "log in with 'docker login', whose configuration is read, or ask for access";
/// What to do where a registry does not have it.
const CORRECT: &str = "correct the name or the tag";

/// One repository of a registry.
pub(super) struct Client<'a> {
    reference: &'a Reference,
    agent: Agent,
    authorization: Option<String>,
}

/// The answer of whoever gives tokens.
#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl<'a> Client<'a> {
    /// The repository of a reference; nothing is asked yet.
    pub(super) fn new(reference: &'a Reference) -> Self {
        let agent = Agent::config_builder()
            .https_only(!reference.is_local())
            .http_status_as_error(false)
            .max_redirects(MOST_REDIRECTIONS)
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_per_read(Some(PATIENCE))
            .build()
            .new_agent();
        Self { reference, agent, authorization: None }
    }

    /// The bytes at a path of the repository: never more than one above `most`.
    ///
    /// # Errors
    /// [`Error::RegistryUnreachable`] and [`Error::RegistryRefused`].
    pub(super) fn get(&mut self, path: &str, accept: &str, most: u64) -> Result<Vec<u8>, Error> {
        let mut answer = self.ask(path, accept)?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            self.authorization = Some(self.answered(&answer)?);
            answer = self.ask(path, accept)?;
        }
        let status = answer.status();
        if !status.is_success() {
            let said = self.bytes(answer, MOST_OF_AN_ANSWER)?;
            if said.len() as u64 > MOST_OF_AN_ANSWER {
                let reason = format!("its answer is longer than the {MOST_OF_AN_ANSWER} bytes that it may have");
                return Err(Error::RegistryLied { reference: self.reference.to_string(), reason });
            }
            let text = visible(&String::from_utf8_lossy(&said), SHOWN).into_owned();
            let hint = if status == StatusCode::NOT_FOUND { CORRECT } else { LOG_IN };
            return Err(self.refused(format!("status {} to GET: {text}", status.as_u16()), hint));
        }
        self.bytes(answer, most)
    }

    /// The answer to one question.
    fn ask(&self, path: &str, accept: &str) -> Result<Response<Body>, Error> {
        let Reference { registry, name, .. } = self.reference;
        let scheme = if self.reference.is_local() { "http" } else { "https" };
        let mut request = self.agent.get(format!("{scheme}://{registry}/v2/{name}{path}")).header(ACCEPT, accept);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        request.call().map_err(|error| self.unreachable(&error.to_string()))
    }

    /// The body of an answer, cut off behind the first byte that is too many.
    fn bytes(&self, answer: Response<Body>, most: u64) -> Result<Vec<u8>, Error> {
        let mut found = Vec::new();
        let mut body = answer.into_body().into_reader().take(most.saturating_add(1));
        body.read_to_end(&mut found).map_err(|error| self.unreachable(&error.to_string()))?;
        Ok(found)
    }

    /// What answers a challenge: name and password, or a token from where the registry says.
    fn answered(&self, challenged: &Response<Body>) -> Result<String, Error> {
        let headers = challenged.headers().get_all(WWW_AUTHENTICATE).iter();
        let challenges: Vec<_> = headers
            .filter_map(|header| http_auth::parse_challenges(header.to_str().ok()?).ok())
            .flatten()
            .map(|challenge| (challenge.scheme.to_ascii_lowercase(), parameters(&challenge.params)))
            .collect();
        let basic = self
            .credentials()?
            .map(|(user, password)| format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))));
        if let Some((_, parameters)) = challenges.iter().find(|(scheme, _)| scheme == "bearer") {
            return self.token(parameters, basic.as_deref());
        }
        if challenges.iter().any(|(scheme, _)| scheme == "basic")
            && let Some(basic) = basic
        {
            return Ok(basic);
        }
        Err(self.without_credentials(""))
    }

    /// A token, asked with credentials where there are any: whoever has none may still read what is public.
    fn token(&self, parameters: &[(String, String)], basic: Option<&str>) -> Result<String, Error> {
        let named = |wanted: &str| parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let realm = named("realm").ok_or_else(|| self.without_credentials("it does not say where tokens are given"))?;
        let scope = format!("repository:{}:pull", self.reference.name);
        let mut request = self.agent.get(realm).query("scope", named("scope").unwrap_or(&scope));
        if let Some(service) = named("service") {
            request = request.query("service", service);
        }
        if let Some(basic) = basic {
            request = request.header(AUTHORIZATION, basic);
        }
        let answer = request.call().map_err(|error| self.unreachable(&error.to_string()))?;
        let status = answer.status();
        if !status.is_success() {
            return Err(self.without_credentials(&format!("status {} where tokens are given", status.as_u16())));
        }
        let text = self.bytes(answer, MOST_OF_AN_ANSWER)?;
        let found = serde_json::from_slice::<Token>(&text).ok().and_then(|found| found.token.or(found.access_token));
        let token = found.ok_or_else(|| self.without_credentials("what gives tokens gave none"))?;
        Ok(format!("Bearer {token}"))
    }

    /// Name and password for the registry, as `docker login` keeps them.
    fn credentials(&self) -> Result<Option<(String, String)>, Error> {
        let Some(configuration) = configuration() else { return Ok(None) };
        let found = File::open(configuration);
        if found.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            return Ok(None);
        }
        let unreadable = |error: &dyn fmt::Display| {
            self.without_credentials(&format!("the configuration of Docker cannot be read: {error}"))
        };
        let found = BufReader::new(found.map_err(|error| unreadable(&error))?);
        match get_credential_from_reader(found, &self.reference.registry) {
            Ok(DockerCredential::UsernamePassword(user, password)) => Ok(Some((user, password))),
            Ok(DockerCredential::IdentityToken(_)) => {
                tracing::warn!(registry = self.reference.registry, "Docker keeps an identity token, which is not used");
                Ok(None)
            }
            Err(CredentialRetrievalError::NoCredentialConfigured) => Ok(None),
            // A helper fails where it keeps nothing for the registry.
            Err(
                error @ (CredentialRetrievalError::HelperCommunicationError
                | CredentialRetrievalError::HelperFailure { .. }),
            ) => {
                tracing::warn!(%error, registry = self.reference.registry, "no credentials from Docker's helper");
                Ok(None)
            }
            Err(error) => Err(unreadable(&error)),
        }
    }

    /// The error of a registry that asks who is there.
    fn without_credentials(&self, why: &str) -> Error {
        let why = if why.is_empty() { String::new() } else { format!(" ({})", visible(why, SHOWN)) };
        self.refused(format!("it wants credentials, and there are none for it{why}"), LOG_IN)
    }

    /// The error of a registry that says no.
    fn refused(&self, reason: String, hint: &'static str) -> Error {
        Error::RegistryRefused { reference: self.reference.to_string(), reason, hint }
    }

    /// The error of a registry that does not answer, or breaks off.
    fn unreachable(&self, reason: &str) -> Error {
        Error::RegistryUnreachable {
            reference: self.reference.to_string(),
            reason: visible(reason, SHOWN).into_owned(),
        }
    }
}

/// The configuration of Docker's programs.
fn configuration() -> Option<PathBuf> {
    let folder = env::var_os("DOCKER_CONFIG").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    folder.or_else(|| Some(env::home_dir()?.join(".docker"))).map(|folder| folder.join("config.json"))
}

/// The parameters of a challenge, names in lower case.
fn parameters(found: &[(&str, ParamValue<'_>)]) -> Vec<(String, String)> {
    found.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.to_unescaped())).collect()
}
