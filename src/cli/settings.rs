// SPDX-License-Identifier: Apache-2.0
//! From the options that commands have in common to the settings of a run.

use std::path::PathBuf;

use super::args::Common;
use super::exit;
use crate::kernel::btf::BtfFolder;
use crate::kernel::headers::SOURCE_VARIABLE;
use crate::lua::Settings;

/// The settings of a run with these options.
pub fn settings(common: &Common) -> Settings {
    Settings {
        cflags: common.cflags(),
        btf: common.btf.as_deref().map(BtfFolder::kernel_file),
        kernel_headers: common.kernel_headers.clone().or_else(headers_of_environment),
        use_cache: !common.no_cache,
        verbosity: common.verbose,
        verifier_log: common.verifier_log,
        notice: exit::notice,
        ..Settings::default()
    }
}

/// bcc's way to name a folder of kernel headers; empty is none.
fn headers_of_environment() -> Option<PathBuf> {
    std::env::var_os(SOURCE_VARIABLE).filter(|folder| !folder.is_empty()).map(PathBuf::from)
}
