// SPDX-License-Identifier: Apache-2.0
//! `bpflua list PATTERN`: the probes there are, a line for each, and with `-v` what each hands to a program.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use super::args::Common;
use super::exit;
use crate::error::Result;
use crate::probes::{Field, Listed, list, nothing_matches};

/// Prints the list. `long`: with kernel modules, and those functions that cannot be traced.
pub fn main(pattern: &str, pid: Option<i32>, long: bool, common: &Common) -> ExitCode {
    match found(pattern, pid, long) {
        Ok(found) => {
            let mut output = BufWriter::new(io::stdout().lock());
            // A reader that went away has seen enough.
            let _ = write_all(&mut output, &found, pid, long, common.verbose > 0);
            ExitCode::SUCCESS
        }
        Err(error) => exit::failed(&error, common),
    }
}

fn found(pattern: &str, pid: Option<i32>, long: bool) -> Result<Vec<Listed>> {
    let mut found = list(pattern, pid)?;
    if !long {
        found.retain(|listed| listed.is_traceable != Some(false));
    }
    if found.is_empty() {
        return Err(nothing_matches(pattern, pid));
    }
    Ok(found)
}

fn write_all(output: &mut impl Write, found: &[Listed], pid: Option<i32>, long: bool, fields: bool) -> io::Result<()> {
    for listed in found {
        writeln!(output, "{}", line(listed, long))?;
        if fields {
            write_fields(output, &listed.target.fields(pid))?;
        }
    }
    output.flush()
}

/// `kprobe:fuse_open  [fuse]  not traceable`
fn line(listed: &Listed, long: bool) -> String {
    let mut line = listed.target.text();
    if long {
        if let Some(module) = &listed.kernel_module {
            line += &format!("  [{module}]");
        }
        match listed.is_traceable {
            Some(true) => line += "  traceable",
            Some(false) => line += "  not traceable",
            None => {}
        }
    }
    line
}

fn write_fields(output: &mut impl Write, fields: &Result<Vec<Field>>) -> io::Result<()> {
    match fields {
        Ok(fields) => fields.iter().try_for_each(|field| writeln!(output, "    {}", field.declaration)),
        Err(error) => writeln!(output, "    ({error})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::{Kind, Place, Target};

    #[test]
    fn a_line_says_what_was_asked_for() {
        let place = Place::Function { module: None, name: "fuse_open".to_owned(), offset: 0 };
        let target = Target { kind: Kind::Kprobe, place };
        let listed = Listed { target, kernel_module: Some("fuse".to_owned()), is_traceable: Some(false) };
        assert_eq!(line(&listed, false), "kprobe:fuse_open");
        assert_eq!(line(&listed, true), "kprobe:fuse_open  [fuse]  not traceable");
    }
}
