// Package rowjson writes keys, values and rows as JSON, and reads rows back,
// without losing a byte.
//
// A row is an object of two strings:
//
//	{"key":"user/1","value":"Ada"}
//	{"key_base64":"AP8=","value":"after a key of two bytes"}
//
// A JSON string is Unicode and cannot hold every byte string. So a member of
// the plain name holds text, the bytes in UTF-8, and a member whose name ends
// in _base64 holds any bytes in the standard base64 alphabet with padding.
// Text is written where the bytes are valid UTF-8 without control characters
// other than tab, line feed and carriage return; either form is read.
//
// Reading is strict: an unknown or repeated member, a value that is no string,
// a half of a surrogate pair and a byte that is not UTF-8 are errors, which
// encoding/json would pass over or replace.
//
// Invariants:
//
//	J1  ParseRow(AppendRow(nil, row, style)) is row, in both styles.
//	J2  What AppendRow writes is one line that encoding/json reads.
//	J3  encoding/json reads the same strings from whatever ParseRow accepts.
package rowjson
