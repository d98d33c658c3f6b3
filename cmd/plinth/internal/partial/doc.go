// Package partial keeps the output of an export in a file that gets its name
// when it is complete, and that another process can go on with if it is not.
//
// The output for rows.txt grows in rows.txt.partial. Beside it lies
// rows.txt.partial.note, a few lines of JSON that say what is exported, and how
// much of it the partial file holds for certain: the number of rows and bytes,
// their checksum and the last key. What the file holds behind that is cut off
// before the export goes on.
//
//	out, err := partial.Begin(fs, "rows.txt", source)    // or partial.Resume
//	…                                                    // out.Write, out.Reached
//	err = out.Keep()                                     // or out.Leave
//
// Invariants, after a loss of power at any moment:
//
//	P1  A file under the output's own name is complete.
//	P2  The bytes that a note tells of are in the partial file: they are synced
//	    before the note, and the note is synced before it gets its name.
//	P3  Resume goes on only behind bytes that have the noted checksum, with the
//	    same store, range and format.
//	P4  Begin never changes a partial file that was there before.
package partial
