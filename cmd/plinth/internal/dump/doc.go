// Package dump writes the rows of a store as text lines and reads them back.
//
// A line is key, tab, value, line feed. Key and value are printed as
// FoundationDB's tools print them (kv/tuple.Printable): printable ASCII as it
// is, a backslash as \\, every other byte as \xNN, so that tabs, line ends and
// anything binary come through. Lines are in key order when Export writes
// them; Import takes any order, and of two lines with one key the later wins.
//
// Both work on stores of any size in bounded memory, and neither is one
// transaction:
//
//   - Export reads at one version for as long as the store can serve it (about
//     five seconds of commits) and then goes on at a newer one. Its report says
//     which versions it read.
//   - Import commits batches, several at a time.
//
// Invariants:
//
//	D1  ParseLine(AppendLine(nil, row)) is row, for every row.
//	D2  Export writes every key at most once, in order; with one read version
//	    its lines are exactly the range at that version.
//	D3  After an Import that met no error the last line of each key is in the
//	    store. One that stops at line n has imported all lines before n, and
//	    none after.
//	D4  Memory is bounded by the batches in flight: a line, row or batch above
//	    its limit is refused or split, never collected.
package dump
