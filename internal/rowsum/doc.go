// Package rowsum sums up the rows of a store, so that two states can be
// compared without holding either in memory. Feed it all rows in key order:
//
//	s := rowsum.New()
//	for … { s.Add(key, value) }
//	fmt.Println(s.Rows(), s.Bytes(), s)
//
// Equal sums mean equal rows: the sum is a cryptographic hash over keys and
// values with their lengths.
package rowsum
