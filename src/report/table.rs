// SPDX-License-Identifier: Apache-2.0
//! Rows as a table that can be sorted and searched.

use std::fmt::Write as _;

use serde_json::Value;

use super::escape::escape;
use super::model::{Column, Rows};
use crate::digits::thousands;

fn is_number(column: &Column) -> bool {
    matches!(column.kind.as_str(), "integer" | "number")
}

/// A cell as the tool's text has it, and by what it is sorted where that says more.
fn cell(column: &Column, value: &Value) -> (String, Option<String>) {
    match (value, column.decimals) {
        (Value::Null, _) => (String::new(), None),
        (Value::String(text), _) => (text.clone(), None),
        (Value::Number(number), Some(decimals)) => {
            let exact = number.as_f64().unwrap_or_default();
            (format!("{exact:.*}", usize::from(decimals)), Some(number.to_string()))
        }
        (Value::Number(number), None) => (number.to_string(), None),
        (Value::Bool(value), _) => ((if *value { "yes" } else { "no" }).to_owned(), None),
        (other, _) => (other.to_string(), None),
    }
}

fn head(columns: &[Column]) -> String {
    let mut out = String::from("<thead><tr>");
    for column in columns {
        let class = if is_number(column) { " class=\"n\"" } else { "" };
        // Headings often have it themselves: LAT(ms).
        let unit = column.unit.as_deref().filter(|unit| !column.title.contains(&format!("({unit})")));
        let unit = unit.map_or_else(String::new, |unit| format!(" <small>{}</small>", escape(unit)));
        let _ = write!(
            out,
            "<th{class} aria-sort=\"none\"><button type=\"button\">{}{unit}</button></th>",
            escape(&column.title)
        );
    }
    out + "</tr></thead>"
}

fn row(out: &mut String, columns: &[Column], cells: &[Value]) {
    out.push_str("<tr>");
    for (at, column) in columns.iter().enumerate() {
        let (text, exact) = cell(column, cells.get(at).unwrap_or(&Value::Null));
        out.push_str(if is_number(column) { "<td class=\"n\"" } else { "<td" });
        if let Some(exact) = exact {
            let _ = write!(out, " data-v=\"{}\"", escape(&exact));
        }
        let _ = write!(out, ">{}</td>", escape(&text));
    }
    out.push_str("</tr>");
}

/// A table of these rows.
pub fn table(columns: &[Column], rows: &[Vec<Value>]) -> String {
    let mut out = format!("<div class=\"scroll\"><table class=\"sortable\">{}<tbody>", head(columns));
    for cells in rows {
        row(&mut out, columns, cells);
    }
    out + "</tbody></table></div>"
}

/// The rows under their heading.
pub fn section(rows: &Rows) -> String {
    let parts = [&rows.title, &rows.at];
    let names: Vec<&str> = parts.into_iter().flatten().map(String::as_str).filter(|name| !name.is_empty()).collect();
    let heading = if names.is_empty() { "Rows".to_owned() } else { names.join(" · ") };
    let count = thousands(rows.rows.len() as u64) + if rows.rows.len() == 1 { " row" } else { " rows" };
    let table = table(&rows.columns, &rows.rows);
    if rows.is_older {
        return format!(
            "<details class=\"older\"><summary>{} <span>{count}</span></summary>{table}</details>",
            escape(&heading)
        );
    }
    format!("<section class=\"rows\"><h2>{} <span>{count}</span></h2>{table}</section>", escape(&heading))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn column(title: &str, kind: &str, decimals: Option<u8>) -> Column {
        Column { title: title.to_owned(), kind: kind.to_owned(), decimals, ..Column::default() }
    }

    #[test]
    fn cells_are_shown_as_text_and_sorted_by_what_they_are() {
        let columns = [column("LAT", "number", Some(2)), column("COMM", "string", None), column("OK", "boolean", None)];
        let drawn = table(&columns, &[vec![json!(1.23456), json!("<sh>"), json!(true)], vec![json!(null)]]);
        assert!(
            drawn.contains("<td class=\"n\" data-v=\"1.23456\">1.23</td><td>&lt;sh&gt;</td><td>yes</td>"),
            "{drawn}"
        );
        assert!(drawn.contains("<tr><td class=\"n\"></td><td></td><td></td></tr>"), "{drawn}");
    }

    #[test]
    fn large_numbers_are_exact() {
        let drawn = table(&[column("ADDR", "integer", None)], &[vec![json!(u64::MAX)]]);
        assert!(drawn.contains(">18446744073709551615</td>"), "{drawn}");
    }

    #[test]
    fn an_older_view_is_folded() {
        let rows = Rows { at: Some("12:00:01".to_owned()), is_older: true, rows: vec![vec![]], ..Rows::default() };
        assert!(section(&rows).starts_with("<details class=\"older\"><summary>12:00:01 <span>1 row</span></summary>"));
    }
}
