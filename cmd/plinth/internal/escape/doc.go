// Package escape reads bytes that were written as printable text, in the form
// that FoundationDB's tools print and kv/tuple.Printable writes: \xNN for any
// byte, \\ for a backslash, everything else as it is.
//
// Invariant:
//
//	E1  Append(nil, text) gives b for every text that tuple.Printable makes of
//	    b.
package escape
