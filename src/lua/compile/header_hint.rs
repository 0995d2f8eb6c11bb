// SPDX-License-Identifier: Apache-2.0
//! What the kernel's own headers know of a name that nobody declares in a C text.

use std::path::Path;

use crate::compiler::InHeaders;
use crate::kernel::header_names::Defined;
use crate::kernel::headers::KernelHeaders;

/// Whether the headers of the running kernel, if this machine has them, define a name. `other` is the file of types when the
/// text is for another kernel.
pub fn find(name: &str, arch: &str, other: Option<&Path>) -> InHeaders {
    if other.is_some() {
        return InHeaders::NoHeaders("with the headers of that kernel".to_owned());
    }
    let Some(headers) = KernelHeaders::of_running() else {
        let packages = KernelHeaders::how_to_get();
        return InHeaders::NoHeaders(match packages.as_slice() {
            [] => "but this machine has none of the running kernel".to_owned(),
            ways => ways.join("; "),
        });
    };
    let folder = headers.build.display().to_string();
    headers.definition(name, arch).map_or(InHeaders::Lack(folder.clone()), |found| {
        let what = match found.defined {
            Defined::Macro => "a macro",
            Defined::Inline => "an inline function",
        };
        InHeaders::Have { what, place: format!("{}:{}", found.file.display(), found.line), folder }
    })
}
