// SPDX-License-Identifier: Apache-2.0
//! Pulls and pushes. Registries on this machine (loopback) are spoken to in plain HTTP, all others by TLS with the machine's
//! certificates.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use oci_client::client::{ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_client::errors::OciDistributionError;
use oci_client::manifest::{OciDescriptor, OciImageManifest};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use tokio::io::AsyncWrite;

use super::credentials;
use crate::error::{Error, Result};
use crate::packs::archive;
use crate::packs::limits::Limits;
use crate::packs::tree::Tree;

/// What the artifact is.
const ARTIFACT: &str = "application/vnd.bpflua.pack.v1";
/// What its configuration is: facts about the pack.
const FACTS: &str = "application/vnd.bpflua.pack.config.v1+json";
/// What its layer is: the packed archive.
const LAYER: &str = "application/vnd.bpflua.pack.layer.v1.tar+zstd";
/// Headers of an archive and what zstd adds.
const MARGIN_BYTES: u64 = 8 << 20;

/// A conversation about one repository.
struct Session {
    client: Client,
    auth: RegistryAuth,
    runtime: tokio::runtime::Runtime,
    shown: String,
}

impl Session {
    fn new(repository: &str) -> Result<Session> {
        // Another part of the program may have chosen first; that will do as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let host = repository.split('/').next().unwrap_or_default().to_owned();
        let auth = credentials::of(&host, &|name| std::env::var_os(name));
        let protocol = if is_loopback(&host) { ClientProtocol::Http } else { ClientProtocol::Https };
        let proxy = |name: &str| {
            std::env::var(name).ok().filter(|value| !value.is_empty() && protocol == ClientProtocol::Https)
        };
        let config = ClientConfig {
            https_proxy: proxy("HTTPS_PROXY").or_else(|| proxy("https_proxy")),
            no_proxy: proxy("NO_PROXY").or_else(|| proxy("no_proxy")),
            protocol,
            connect_timeout: Some(Duration::from_secs(20)),
            read_timeout: Some(Duration::from_secs(60)),
            user_agent: concat!("bpflua/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        };
        let shown = format!("oci://{repository}");
        let client = Client::try_from(config).map_err(|error| failed("cannot reach", &shown, &error))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::io(format!("cannot reach `{shown}`"), &error))?;
        Ok(Session { client, auth, runtime, shown })
    }

    fn reference(&self, repository: &str, reference: &str) -> Reference {
        let (host, path) = repository.split_once('/').unwrap_or((repository, ""));
        let (host, path, reference) = (host.to_owned(), path.to_owned(), reference.to_owned());
        if reference.contains(':') {
            Reference::with_digest(host, path, reference)
        } else {
            Reference::with_tag(host, path, reference)
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.chars().all(|c| c.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    let address = name.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// The names of all tags of a repository.
pub fn tags(repository: &str) -> Result<Vec<String>> {
    /// Registries give that many at once.
    const PAGE: usize = 1000;
    let session = Session::new(repository)?;
    let image = session.reference(repository, "latest");
    let mut tags: Vec<String> = Vec::new();
    loop {
        let last = tags.last().map(String::as_str);
        let page = session.runtime.block_on(session.client.list_tags(&image, &session.auth, Some(PAGE), last));
        let page = page.map_err(|error| failed("cannot list the versions of", &session.shown, &error))?.tags;
        let is_last = page.len() < PAGE;
        tags.extend(page);
        if is_last {
            return Ok(tags);
        }
    }
}

/// The files of a pack, and the digest of its artifact.
pub fn pull(repository: &str, reference: Option<&str>, limits: &Limits) -> Result<(Tree, String)> {
    let session = Session::new(repository)?;
    let image = session.reference(repository, reference.unwrap_or("latest"));
    let shown = format!("oci://{}", image.whole());
    let fail = |error: &OciDistributionError| failed("cannot fetch", &shown, error);
    let pulled = session.runtime.block_on(session.client.pull_image_manifest(&image, &session.auth));
    let (manifest, digest) = pulled.map_err(|error| fail(&error))?;
    let layer = layer_of(&manifest, &shown)?;
    let most = limits.size_bytes + MARGIN_BYTES;
    if u64::try_from(layer.size).is_ok_and(|size| size > most) {
        return Err(Error::script(
            format!("cannot fetch `{shown}`"),
            format!("it has {} bytes, more than {most}", layer.size),
        ));
    }
    let mut bytes = Limited { bytes: Vec::new(), most };
    session.runtime.block_on(session.client.pull_blob(&image, layer, &mut bytes)).map_err(|error| fail(&error))?;
    let tree = archive::unpack(&bytes.bytes, &shown, limits)?;
    Ok((if tree.bytes("pack.toml").is_some() { tree } else { tree.without_top_folder() }, digest))
}

fn layer_of<'a>(manifest: &'a OciImageManifest, shown: &str) -> Result<&'a OciDescriptor> {
    match manifest.layers.as_slice() {
        [layer] if layer.media_type == LAYER => Ok(layer),
        others => {
            let kinds: Vec<_> = others.iter().map(|layer| layer.media_type.as_str()).collect();
            Err(Error::script(format!("cannot fetch `{shown}`"), "it is no pack")
                .with_evidence(format!("its layers: {}", kinds.join(", ")))
                .with_evidence(format!("a pack has: {LAYER}")))
        }
    }
}

/// Stores a pack under a tag, with facts about it for those who look at the registry; gives the artifact's digest.
pub fn push(repository: &str, tag: &str, tree: &Tree, facts: &[(&str, String)]) -> Result<String> {
    let session = Session::new(repository)?;
    let image = session.reference(repository, tag);
    let shown = format!("oci://{}", image.whole());
    let facts: BTreeMap<String, String> =
        facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let json = serde_json::to_vec(&facts).map_err(|error| Error::bug("cannot describe the pack", error.to_string()))?;
    let layer = ImageLayer::new(archive::pack(tree)?, LAYER.to_owned(), None);
    let config = Config::new(json, FACTS.to_owned(), None);
    let mut manifest = OciImageManifest::build(std::slice::from_ref(&layer), &config, None);
    manifest.artifact_type = Some(ARTIFACT.to_owned());
    manifest.media_type = Some("application/vnd.oci.image.manifest.v1+json".to_owned());
    let layers = [layer];
    let push = session.client.push(&image, &layers, config, &session.auth, Some(manifest));
    session.runtime.block_on(push).map_err(|error| failed("cannot store", &shown, &error))?;
    let digest = session.runtime.block_on(session.client.fetch_manifest_digest(&image, &session.auth));
    digest.map_err(|error| failed("cannot read back", &shown, &error))
}

/// Bytes in memory, up to a number.
struct Limited {
    bytes: Vec<u8>,
    most: u64,
}

impl AsyncWrite for Limited {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, more: &[u8]) -> Poll<io::Result<usize>> {
        if (self.bytes.len() + more.len()) as u64 > self.most {
            return Poll::Ready(Err(io::Error::other("it is larger than its manifest says and a pack may be")));
        }
        self.bytes.extend_from_slice(more);
        Poll::Ready(Ok(more.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Whether an error, or one behind it, is of a certificate.
fn is_about_certificates(error: &OciDistributionError) -> bool {
    let first: &dyn std::error::Error = error;
    std::iter::successors(Some(first), |error| error.source()).any(|error| error.to_string().contains("certificate"))
}

/// The client's error in few words, and those behind it as evidence.
fn failed(what: &str, shown: &str, error: &OciDistributionError) -> Error {
    let what = format!("{what} `{shown}`");
    let told = match error {
        OciDistributionError::ImageManifestNotFoundError(_) => {
            Error::script(what, "the registry has no such pack or version")
        }
        OciDistributionError::RegistryError { envelope, .. } => match envelope.errors.first() {
            Some(first) => Error::script(what, format!("the registry says: {:?}: {}", first.code, first.message)),
            None => Error::script(what, "the registry refuses"),
        },
        OciDistributionError::UnauthorizedError { .. } | OciDistributionError::AuthenticationFailure(_) => {
            Error::script(what, "the registry wants to know who asks")
                .with_hint("log in with `podman login` or `docker login`")
        }
        OciDistributionError::DigestError(_) => {
            Error::script(what, "what came is not what the registry's own digest says")
        }
        OciDistributionError::RequestError(_) if is_about_certificates(error) => {
            Error::machine(what, "the registry's certificate is not one that this machine trusts")
                .with_hint("the certificate of its authority: SSL_CERT_FILE=FILE, or SSL_CERT_DIR=FOLDER")
        }
        OciDistributionError::RequestError(_) => Error::machine(what, "no answer from the registry"),
        other => Error::script(what, other.to_string()),
    };
    let mut told = told;
    let mut behind: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(error) = behind {
        told = told.with_evidence(error.to_string());
        behind = error.source();
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_spoken_to_in_plain_text() {
        assert!(
            is_loopback("localhost:5000")
                && is_loopback("127.0.0.1:5000")
                && is_loopback("[::1]:80")
                && is_loopback("127.0.0.1")
        );
        assert!(!is_loopback("localhost.example.org") && !is_loopback("10.0.0.1:5000") && !is_loopback("x.org"));
    }
}
