//! The real Medusa v1 that tests run beside Stheno. It is large, so it is installed once for every checkout of this
//! user, into the folder for caches; a checkout has a link to it.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::command::run;
use crate::setup::{cache, wanted_packages};

/// Its lock file, its configuration, and the program that runs it.
pub(crate) const MEDUSA: &str = "tests/medusa";

/// Where the packages of the lock file are, whether installed or not yet.
fn home() -> Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    wanted_packages(MEDUSA)?.hash(&mut hasher);
    Ok(cache()?.join(format!("medusa-{:016x}", hasher.finish())))
}

fn link() -> PathBuf {
    Path::new(MEDUSA).join("node_modules")
}

pub(crate) fn is_there() -> Result<bool> {
    let packages = home()?.join("node_modules");
    Ok(packages.is_dir() && fs::read_link(link()).is_ok_and(|target| target == packages))
}

/// Installs the packages where no checkout has yet, and links to them.
pub(crate) fn install() -> Result<()> {
    let home = home()?;
    if !home.is_dir() {
        // Made elsewhere and moved, so that what is there is whole, however many do so at once.
        let made = home.with_extension(format!("making-{}", std::process::id()));
        fs::create_dir_all(&made).with_context(|| format!("cannot make {}", made.display()))?;
        let installed = install_into(&made);
        if installed.is_ok() && !home.is_dir() {
            fs::rename(&made, &home).with_context(|| format!("cannot make {}", home.display()))?;
        } else {
            fs::remove_dir_all(&made).with_context(|| format!("cannot remove {}", made.display()))?;
        }
        installed?;
    }
    let link = link();
    if fs::symlink_metadata(&link).is_ok() {
        let removed = if link.is_symlink() { fs::remove_file(&link) } else { fs::remove_dir_all(&link) };
        removed.with_context(|| format!("cannot remove {}", link.display()))?;
    }
    symlink(home.join("node_modules"), &link).with_context(|| format!("cannot make {}", link.display()))
}

fn install_into(folder: &Path) -> Result<()> {
    for name in [".npmrc", "package.json", "package-lock.json"] {
        let from = Path::new(MEDUSA).join(name);
        fs::copy(&from, folder.join(name)).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    run(Command::new("npm").arg("ci").current_dir(folder).stdin(Stdio::null()))
}
