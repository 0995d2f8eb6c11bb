// SPDX-License-Identifier: Apache-2.0
"use strict";
// What a cell is sorted by: its exact number where it has one, else its text.
function keyOf(row, at, isNumber) {
	const cell = row.cells[at];
	if (!isNumber) return cell.textContent;
	const text = cell.dataset.v || cell.textContent;
	return text === "" ? null : Number(text);
}

function compare(a, b) {
	if (a === null || b === null) return (a === null) - (b === null);
	return typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true });
}

function sortBy(table, heading, at) {
	const isNumber = heading.classList.contains("n");
	// The first click has numbers from the greatest, texts from A on.
	const was = heading.getAttribute("aria-sort");
	const down = was === "none" ? isNumber : was === "ascending";
	for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
	heading.setAttribute("aria-sort", down ? "descending" : "ascending");
	const rows = Array.from(table.tBodies[0].rows, row => ({ row, key: keyOf(row, at, isNumber) }));
	rows.sort((a, b) => a.key === null || b.key === null || !down ? compare(a.key, b.key) : compare(b.key, a.key));
	table.tBodies[0].append(...rows.map(one => one.row));
}

function addFilter(table) {
	const rows = Array.from(table.tBodies[0].rows);
	if (rows.length < 12) return;
	const input = document.createElement("input");
	input.className = "filter";
	input.type = "search";
	input.placeholder = "Filter rows";
	input.setAttribute("aria-label", "Filter rows");
	input.addEventListener("input", () => {
		const word = input.value.toLowerCase();
		const has = cell => cell.textContent.toLowerCase().includes(word);
		for (const row of rows) row.hidden = !Array.from(row.cells).some(has);
	});
	table.parentElement.before(input);
}

for (const table of document.querySelectorAll("table.sortable")) {
	Array.from(table.tHead.rows[0].cells).forEach((heading, at) => {
		heading.querySelector("button").addEventListener("click", () => sortBy(table, heading, at));
	});
	addFilter(table);
}
