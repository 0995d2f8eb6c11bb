// SPDX-License-Identifier: Apache-2.0
//! Text that is safe in HTML and SVG, as content and as the value of an attribute.

/// Characters that would change how those beside them are read, shown by their numbers.
fn is_treacherous(c: char) -> bool {
    matches!(c, '\u{80}'..='\u{9f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// The text without anything that XML has no place for or that plays tricks on the reader: control characters become the
/// pictures that Unicode has of them, marks that turn the direction of writing their numbers.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\0'..='\u{1f}' => out.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}')),
            '\u{7f}' => out.push('\u{2421}'),
            c if is_treacherous(c) => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// The same, with the characters that mean something in markup written out.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in printable(text).chars() {
        escape_char(c, &mut out);
    }
    out
}

/// Markup as the value of an attribute in quotes: line ends stay as they are.
pub fn escape_markup(markup: &str) -> String {
    let mut out = String::with_capacity(markup.len() + markup.len() / 8);
    for c in markup.chars() {
        escape_char(c, &mut out);
    }
    out
}

fn escape_char(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        c => out.push(c),
    }
}

/// Puts values into a template: each `{{name}}` becomes the value of that name. What a value holds is not looked at again, so
/// that a process called `{{rows}}` is only a name.
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len() + values.iter().map(|(_, value)| value.len()).sum::<usize>());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
            out.push_str(value);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_written_out() {
        assert_eq!(escape(r#"<a b="c" d='e'>&"#), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;");
        assert_eq!(escape_markup("<a\n>"), "&lt;a\n&gt;");
    }

    #[test]
    fn control_characters_are_seen() {
        assert_eq!(printable("a\0\n\x1b[2J\x7f"), "a\u{2400}\u{240a}\u{241b}[2J\u{2421}");
        assert_eq!(printable("txt.\u{202e}exe"), "txt.\\u{202e}exe");
        assert_eq!(printable("größe, 名前"), "größe, 名前");
    }

    #[test]
    fn a_value_is_no_template() {
        let filled = fill("<{{a}}|{{b}}|{{none}}>", &[("a", "{{b}}"), ("b", "2")]);
        assert_eq!(filled, "<{{b}}|2|>");
        assert_eq!(fill("no end {{a", &[("a", "1")]), "no end 1");
    }
}
