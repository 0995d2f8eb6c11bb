// SPDX-License-Identifier: Apache-2.0
//! What to tell a registry of who asks: from the files in which `podman login` and `docker login` keep it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oci_client::secrets::RegistryAuth;
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AuthFile {
    auths: BTreeMap<String, AuthOf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AuthOf {
    auth: String,
}

/// The files that there may be, by the variables of the environment.
fn files(variable: &dyn Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let below = |name: &str, rest: &str| {
        variable(name).filter(|value| !value.is_empty()).map(|value| PathBuf::from(value).join(rest))
    };
    let named = variable("REGISTRY_AUTH_FILE").filter(|value| !value.is_empty()).map(PathBuf::from);
    let usual = [
        below("XDG_RUNTIME_DIR", "containers/auth.json"),
        below("HOME", ".config/containers/auth.json"),
        below("DOCKER_CONFIG", "config.json"),
        below("HOME", ".docker/config.json"),
    ];
    named.map_or_else(|| usual.into_iter().flatten().collect(), |file| vec![file])
}

/// What is kept for a registry; anonymous when there is nothing.
pub fn of(host: &str, variable: &dyn Fn(&str) -> Option<OsString>) -> RegistryAuth {
    let texts = files(variable).into_iter().filter_map(|file| std::fs::read(file).ok());
    texts.filter_map(|text| in_text(&text, host)).next().unwrap_or(RegistryAuth::Anonymous)
}

fn in_text(text: &[u8], host: &str) -> Option<RegistryAuth> {
    let file: AuthFile = serde_json::from_slice(text).ok()?;
    let fits =
        |name: &str| name.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/') == host;
    let (_, of) = file.auths.iter().find(|(name, _)| fits(name))?;
    let plain = String::from_utf8(STANDARD.decode(&of.auth).ok()?).ok()?;
    let (user, password) = plain.split_once(':')?;
    Some(RegistryAuth::Basic(user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_found_by_its_host() {
        let text = br#"{"auths": {"https://x.org:5000/": {"auth": "bWU6cHc="}, "y.org": {}}}"#;
        assert_eq!(in_text(text, "x.org:5000"), Some(RegistryAuth::Basic("me".into(), "pw".into())));
        assert_eq!((in_text(text, "y.org"), in_text(text, "z.org"), in_text(b"{", "x")), (None, None, None));
        let variable = |name: &str| (name == "HOME").then(|| "/h".into());
        assert_eq!(
            files(&variable),
            [PathBuf::from("/h/.config/containers/auth.json"), "/h/.docker/config.json".into()]
        );
    }
}
