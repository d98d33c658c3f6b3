// Package dump writes the rows of a store as lines and reads them back.
//
// A line of text is key, tab, value, line feed. Key and value are printed as
// FoundationDB's tools print them (kv/tuple.Printable): printable ASCII as it
// is, a backslash as \\, every other byte as \xNN, so that tabs, line ends and
// anything binary come through. A line of JSON is an object; see package
// rowjson. Lines are in key order when Export writes them; Import takes any
// order, and of two lines with one key the later wins.
//
// Both work on stores of any size in bounded memory, and neither is one
// transaction:
//
//   - Export reads at one version for as long as the store can serve it (about
//     five seconds of commits) and then goes on at a newer one. Its report says
//     which versions it read.
//   - Import commits batches, several at a time. Checkpoints say up to which
//     line all are in the store, so that one that was killed can go on there.
//
// Invariants:
//
//	D1  f.ParseLine(f.AppendLine(nil, row)) is row, for every format and row.
//	D2  Export writes every key at most once, in order; with one read version
//	    its lines are exactly the range at that version.
//	D3  After an Import that met no error the last line of each key is in the
//	    store. One that stops at line n has imported all lines before n, and
//	    none after.
//	D4  Memory is bounded by the batches in flight: a line, row or batch above
//	    its limit is refused or split, never collected.
//	D5  When Checkpoint is called all lines before it are committed. An import
//	    from any of its checkpoints, whatever has become of the one that gave
//	    it, ends with the rows of one that was never interrupted, unless
//	    somebody else has written to them. Rows of lines before the checkpoint
//	    are not touched again.
package dump
