//! Who signed in where: profiles of several servers, in a file that only its owner can read.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fmt};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use etcetera::BaseStrategy as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::exit::{Exit, failure};

/// The variable that names the folder, in place of the usual one.
pub(crate) const FOLDER_VARIABLE: &str = "STHENO_CONFIG_DIR";

const FILE: &str = "profiles.json";

/// A server, and who is signed in there. Holds a token, so `{:?}` does not show it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    #[serde(default, flatten)]
    pub(crate) login: Option<Login>,
}

/// What a server knows somebody by.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Login {
    ApiToken {
        api_token: String,
    },
    /// From e-mail address and password. The password is not kept, so this ends with the token.
    BearerToken {
        bearer_token: String,
        #[serde(default, with = "stheno_client::types::timestamp::option")]
        expires_at: Option<Timestamp>,
    },
}

impl fmt::Debug for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Profile")
            .field("url", &self.url)
            .field("email", &self.email)
            .finish_non_exhaustive()
    }
}

/// What is in the file.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Profiles {
    /// The name of the one that is used where none is named.
    #[serde(default)]
    pub(crate) current: Option<String>,
    #[serde(default)]
    pub(crate) profiles: BTreeMap<String, Profile>,
}

impl Profiles {
    /// Reads the file. If there is none, there are no profiles.
    pub(crate) fn load() -> Result<Self> {
        read(&folder()?)
    }

    /// Reads the file, changes it and writes it again; others who do so at the same time wait.
    pub(crate) fn change<T>(change: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let folder = folder()?;
        make(&folder)?;
        ensure_private_folder(&folder)?;
        let lock = folder.join("profiles.lock");
        let locked = private_file(&lock).and_then(|file| file.lock().map(|()| file));
        let _locked = locked.with_context(|| format!("cannot lock {}", lock.display()))?;
        let mut profiles = read(&folder)?;
        let result = change(&mut profiles)?;
        write(&folder, &profiles)?;
        Ok(result)
    }

    /// Refuses a folder in which no token would be kept, before there is one.
    pub(crate) fn ensure_private_folder() -> Result<()> {
        let folder = folder()?;
        if folder.exists() { ensure_private_folder(&folder) } else { Ok(()) }
    }

    /// The profile of this name.
    pub(crate) fn get(&self, name: &str) -> Result<&Profile> {
        self.profiles.get(name).ok_or_else(|| no_such(name))
    }

    /// The profile of this name, to be changed.
    pub(crate) fn get_mut(&mut self, name: &str) -> Result<&mut Profile> {
        self.profiles.get_mut(name).ok_or_else(|| no_such(name))
    }

    /// The name given, or else that of the current profile, if there is one.
    pub(crate) fn name_or_current<'a>(&'a self, name: Option<&'a str>) -> Option<&'a str> {
        name.or(self.current.as_deref())
    }
}

fn no_such(name: &str) -> anyhow::Error {
    failure(
        Exit::NotFound,
        format!(
            "there is no profile {name}: see `stheno profiles list`, or make it with `stheno login --profile {name}`"
        ),
    )
}

/// A profile's name, as it is typed again and again.
pub(crate) fn parse_name(text: &str) -> Result<String, &'static str> {
    let is_name = !text.is_empty()
        && !text.starts_with('-')
        && text.chars().all(|character| !character.is_whitespace() && !character.is_control());
    if is_name { Ok(text.to_owned()) } else { Err("give a name without spaces") }
}

/// Where the file is.
fn folder() -> Result<PathBuf> {
    if let Some(folder) = env::var_os(FOLDER_VARIABLE).filter(|folder| !folder.is_empty()) {
        return Ok(folder.into());
    }
    let strategy = etcetera::choose_base_strategy().ok().with_context(|| {
        format!("this user has no home: name a folder for the profiles with {FOLDER_VARIABLE}")
    })?;
    Ok(strategy.config_dir().join("stheno"))
}

fn read(folder: &Path) -> Result<Profiles> {
    let path = folder.join(FILE);
    let shown = path.display();
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Profiles::default()),
        Err(error) => bail!("cannot read {shown}: {error}"),
    };
    ensure_private(&file, &path)?;
    ensure_private_folder(folder)?;
    let content = io::read_to_string(&mut file).with_context(|| format!("cannot read {shown}"))?;
    serde_json::from_str(&content).map_err(|error| {
        anyhow!(
            "{shown} is not what `stheno login` writes ({error}): mend it, or remove it and sign in again"
        )
    })
}

/// Refuses a file of tokens that others can read.
#[cfg(unix)]
fn ensure_private(file: &File, path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let shown = path.display();
    let mode = file.metadata().with_context(|| format!("cannot look at {shown}"))?.permissions().mode();
    ensure!(
        mode & 0o077 == 0,
        "{shown} holds tokens, and others may read or change it (its mode is {:o}): make it private with `chmod 600 \
         {}`; if somebody may have read it, sign in again with a new token",
        mode & 0o777,
        shell_words::quote(&path.to_string_lossy()),
    );
    Ok(())
}

/// Refuses a folder in which others could put another file of tokens.
#[cfg(unix)]
fn ensure_private_folder(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = fs::metadata(folder)
        .with_context(|| format!("cannot look at {}", folder.display()))?
        .permissions()
        .mode();
    ensure!(
        mode & 0o022 == 0,
        "others may write into {}, which holds the tokens (its mode is {:o}): make it private with `chmod 700 {}`",
        folder.display(),
        mode & 0o777,
        shell_words::quote(&folder.to_string_lossy()),
    );
    Ok(())
}

#[cfg(not(unix))]
fn ensure_private(_file: &File, _path: &Path) -> Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn ensure_private_folder(_folder: &Path) -> Result<()> {
    Ok(())
}

/// Makes the folder, if it is not there, for its owner alone.
fn make(folder: &Path) -> Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).with_context(|| format!("cannot make the folder {}", folder.display()))
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Puts a new file in the place of the old one, so that nobody ever sees half of it. If the old one is a link, the file
/// that it leads to is replaced.
fn write(folder: &Path, profiles: &Profiles) -> Result<()> {
    let path = folder.join(FILE);
    let path = fs::canonicalize(&path).unwrap_or(path);
    let written = || -> io::Result<()> {
        // Made with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(folder))?;
        serde_json::to_writer_pretty(&mut file, profiles)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        Ok(())
    };
    written().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_file_is_as_it_is_written_down() {
        let content = json!({
            "current": "shop",
            "profiles": {
                "other": { "url": "http://127.0.0.1:9000" },
                "shop": { "url": "https://shop.example", "email": "ada@example.com", "api_token": "t" },
                "test": {
                    "url": "https://test.example",
                    "bearer_token": "e30",
                    "expires_at": "2026-01-01T00:00:00.000Z",
                },
            },
        });
        let profiles: Profiles = serde_json::from_value(content.clone()).unwrap();
        assert!(profiles.profiles["other"].login.is_none());
        assert!(!format!("{profiles:?}").contains("e30"));
        assert_eq!(serde_json::to_value(&profiles).unwrap(), content);
    }
}
